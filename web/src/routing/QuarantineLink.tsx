import { Badge } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { IconShieldQuestion } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';

import { formatNumber } from '../format';
import { quarantineCountsQuery } from './queries';

// QuarantineLink leads to the quarantine and says how much waits there.
export function QuarantineLink({ className }: { className: string | undefined }) {
  const { t, i18n } = useTranslation();
  const counts = useQuery({ ...quarantineCountsQuery, refetchInterval: 60_000 });
  const waiting = counts.data?.waiting ?? 0;
  const number = waiting > 999 ? '999+' : formatNumber(waiting, i18n.language);
  return (
    <Link to="/quarantine" className={className} activeOptions={{ includeSearch: false }} aria-label={waiting > 0 ? t('routing.waitingThere', { count: waiting }) : t('routing.quarantine')}>
      <IconShieldQuestion size={18} aria-hidden /><span>{t('routing.quarantine')}</span>
      {waiting > 0 && <Badge size="sm" circle={waiting < 10} color="orange.9" aria-hidden styles={{ label: { display: 'inline' } }}>{number}</Badge>}
    </Link>
  );
}
