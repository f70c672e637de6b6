import { Text } from '@mantine/core';
import { useMediaQuery } from '@mantine/hooks';
import { Link } from '@tanstack/react-router';
import { useVirtualizer } from '@tanstack/react-virtual';
import { IconCircleCheck, IconCircleX, IconClockX } from '@tabler/icons-react';
import { useRef } from 'react';
import { useTranslation } from 'react-i18next';

import type { User } from '../api';
import { formatDateTime, formatShort, plain } from '../format';
import { useAccount } from '../shell/usePage';
import { stateOf, type UserState } from './find';
import classes from './Users.module.css';

// UserList shows any number of users and keeps only the visible ones in the document.
export function UserList({ users }: { users: readonly User[] }) {
  const { t } = useTranslation();
  const narrow = useMediaQuery('(max-width: 860px)', undefined, { getInitialValueInEffect: false });
  const scroller = useRef<HTMLDivElement>(null);
  const height = narrow ? 76 : 60;
  // eslint-disable-next-line react-hooks/incompatible-library -- the virtualizer is used in this component only
  const rows = useVirtualizer({ count: users.length, getScrollElement: () => scroller.current, estimateSize: () => height, overscan: 10 });
  return (
    <div ref={scroller} className={classes.list} style={{ height: `min(70vh, ${users.length * height + 2}px)` }} tabIndex={0} role="region" aria-label={t('users.title')}>
      <ul className={classes.rows} style={{ height: rows.getTotalSize() }}>
        {rows.getVirtualItems().map((item) => {
          const user = users[item.index];
          return user && (
            <li key={user.id} style={{ height, transform: `translateY(${item.start}px)` }} aria-setsize={users.length} aria-posinset={item.index + 1}>
              <Row user={user} />
            </li>
          );
        })}
      </ul>
    </div>
  );
}

function Row({ user: u }: { user: User }) {
  const { t, i18n } = useTranslation();
  const zone = useAccount().tenant?.zone;
  const [first, ...others] = u.addresses;
  return (
    <Link to="/users/$id" params={{ id: u.id }} className={classes.row}>
      <span>
        <span className={`${classes.cut} ${classes.name}`}>{plain(u.name)}</span>
        <Text span size="xs" c="dimmed" className={classes.cut}>{u.login}</Text>
      </span>
      <StateSign state={stateOf(u)} />
      <span className={classes.part}>
        <Text span size="sm" className={classes.cut}>{first ?? t('users.noAddress')}</Text>
        {others.length > 0 && <Text span size="xs" c="dimmed" className={classes.cut}>{t('users.moreAddresses', { count: others.length })}</Text>}
      </span>
      <Text span size="sm" lh={1.25} className={classes.breakable}>{t(`users.role.${u.role}`)}</Text>
      <span className={classes.when} title={u.logged_in_at && formatDateTime(u.logged_in_at, i18n.language, zone)}>
        {u.logged_in_at ? t('users.seen', { when: formatShort(u.logged_in_at, i18n.language, zone) }) : t('users.neverSeen')}
      </span>
    </Link>
  );
}

const signs = { active: IconCircleCheck, expired: IconClockX, disabled: IconCircleX };

// StateSign says in sign and word whether somebody may log in.
export function StateSign({ state }: { state: UserState }) {
  const { t } = useTranslation();
  const Sign = signs[state];
  return <span className={classes.sign} data-state={state}><Sign size={16} aria-hidden />{t(`users.state.${state}`)}</span>;
}
