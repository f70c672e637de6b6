import { Badge, Button, Group, Text } from '@mantine/core';
import { IconDevices } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';

import type { Session } from '../api';
import { formatDateTime } from '../format';
import { useAccount } from '../shell/usePage';
import { agentName } from './agent';
import classes from './Logins.module.css';

// SessionList shows where somebody is logged in.
export function SessionList({ sessions, busy, end }: { sessions: readonly Session[]; busy: string | undefined; end: (id: string) => void }) {
  const { t, i18n } = useTranslation();
  const zone = useAccount().tenant?.zone;
  const at = (date: string) => formatDateTime(date, i18n.language, zone);
  return (
    <ul className={classes.rows}>
      {sessions.map((s) => {
        const name = agentName(s.user_agent) || t('logins.unknownBrowser');
        return (
          <li key={s.id} className={classes.row}>
            <Group gap="sm" wrap="nowrap" className={classes.grow}>
              <IconDevices size={20} aria-hidden />
              <div title={s.user_agent}>
                <Group gap="xs"><Text size="sm" fw={600}>{name}</Text>{s.current && <Badge size="sm" variant="light" tt="none" color="green" c="var(--mantine-color-text)">{t('logins.thisSession')}</Badge>}</Group>
                <Text size="xs" c="dimmed">{t('logins.sessionFrom', { peer: s.peer, how: t(`logins.method.${s.method}`) })}</Text>
                <Text size="xs" c="dimmed">{t('logins.since', { date: at(s.created_at) })} · {t('logins.used', { date: at(s.seen_at) })}</Text>
              </div>
            </Group>
            {!s.current && <Button variant="default" size="xs" loading={busy === s.id} onClick={() => end(s.id)} aria-label={t('logins.endOne', { name, peer: s.peer })}>{t('logins.end')}</Button>}
          </li>
        );
      })}
    </ul>
  );
}
