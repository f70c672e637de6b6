import { Badge } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { IconEyeCheck } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';

import { requestsQuery } from './queries';

const roles = ['auditor', 'tenant-admin', 'dpo'];

// mayAccess reports whether a role has to do with access to other people's mail.
export const mayAccess = (role: string): boolean => roles.includes(role);

// AccessLink leads to requests for access and says how many wait for a decision of the
// reader.
export function AccessLink({ className }: { className: string | undefined }) {
  const { t } = useTranslation();
  const requests = useQuery({ ...requestsQuery, refetchInterval: 60_000 });
  const waiting = requests.data?.waiting ?? 0;
  return (
    <Link to="/access" className={className} aria-label={waiting > 0 ? t('access.waitingThere', { count: waiting }) : t('access.title')}>
      <IconEyeCheck size={18} aria-hidden /><span>{t('access.title')}</span>
      {waiting > 0 && <Badge size="sm" circle={waiting < 10} color="orange.9" aria-hidden styles={{ label: { display: 'inline' } }}>{waiting > 99 ? '99+' : waiting}</Badge>}
    </Link>
  );
}
