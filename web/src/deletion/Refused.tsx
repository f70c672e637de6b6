import { Alert } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { IconAlertTriangle } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';

import classes from '../access/Access.module.css';
import { Failure } from '../failure';
import { formatLastDay, plain } from '../format';
import { Mistake } from '../retention/Mistake';
import { holdsQuery } from '../retention/queries';
import { useAccount } from '../shell/usePage';

type Reason = NonNullable<NonNullable<Failure['problem']>['errors']>[number];

// Refused says why messages were not deleted, or why it could not be asked for that.
export function Refused({ error, one = false }: { error: unknown; one?: boolean }) {
  return error instanceof Failure && error.code === 'kept' ? <Kept reasons={error.problem?.errors ?? []} one={one} /> : <Mistake error={error} />;
}

// Kept names the messages by their numbers, unless there is one that people see before them.
function Kept({ reasons, one }: { reasons: readonly Reason[]; one: boolean }) {
  const { t, i18n } = useTranslation();
  const zone = useAccount().tenant?.zone;
  const held = reasons.some((r) => r.code === 'held');
  const holds = useQuery({ ...holdsQuery, enabled: held });
  const hold = (id: string) => plain(holds.data?.holds.find((h) => h.id === id)?.name ?? id);
  const words = ({ code, args = {}, message }: Reason): string => {
    const id = one ? t('deletion.why.this') : args['message'] ?? '';
    switch (code) {
      case 'missing': return t('deletion.why.missing', { id });
      case 'held': return t('deletion.why.held', { id, name: hold(args['hold'] ?? '') });
      case 'together': return t('deletion.why.together', { id, with: args['with'] });
      case 'retained': return t('deletion.why.retained', { id, date: args['until'] ? formatLastDay(args['until'], i18n.language, zone) : '–' });
      case 'more': return t('deletion.why.more', { count: Number(args['count']) });
      default: return message;
    }
  };
  return (
    <Alert variant="light" color="red" role="alert" icon={<IconAlertTriangle aria-hidden />} title={t(one ? 'deletion.why.oneKept' : 'failure.kept')}>
      {reasons.map((r, i) => <div key={i} className={classes.breakable}>{words(r)}</div>)}
      {held && <div><Link to="/retention" className={classes.link}>{t('deletion.why.toHolds')}</Link></div>}
    </Alert>
  );
}
