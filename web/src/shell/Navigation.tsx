import { Badge } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { IconCloudUpload, IconListCheck, IconLock, IconCertificate, IconSearch, IconSettings } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';

import { AccessLink } from '../access/AccessLink';
import { requestsQuery } from '../access/queries';
import type { Account } from '../api';
import { formatNumber } from '../format';
import { quarantineCountsQuery } from '../routing/queries';
import classes from './Frame.module.css';
import { isAdministration } from './pages';

// Navigation leads to what everybody of a customer does, to what auditors and
// data-protection officers see, and to administration. Those above the customers see no
// mail: there is nothing to search, and all their pages are beside the page.
export function Navigation({ account, path }: { account: Account; path: string }) {
  const { t } = useTranslation();
  const { role } = account;
  if (role === 'operator' || role === 'reseller') {
    return null;
  }
  const admin = role === 'tenant-admin';
  const oversees = role === 'auditor' || role === 'dpo';
  return (
    <nav aria-label={t('app.navigation')} className={classes.nav} data-many={oversees || undefined}>
      <Link to="/" className={classes.link} activeOptions={{ exact: true, includeSearch: false }} aria-label={t('app.search')}>
        <IconSearch size={18} aria-hidden /><span>{t('app.search')}</span>
      </Link>
      <Link to="/upload" className={classes.link} aria-label={t('upload.title')}>
        <IconCloudUpload size={18} aria-hidden /><span>{t('upload.title')}</span>
      </Link>
      {oversees && <Oversight />}
      {admin && <AdministrationLink within={isAdministration(role, path)} />}
    </nav>
  );
}

function Oversight() {
  const { t } = useTranslation();
  return (
    <>
      <AccessLink className={classes.link} />
      <Link to="/retention" className={classes.link} aria-label={t('retention.title')}>
        <IconLock size={18} aria-hidden /><span>{t('retention.title')}</span>
      </Link>
      <Link to="/log" className={classes.link} aria-label={t('eventlog.title')}>
        <IconListCheck size={18} aria-hidden /><span>{t('eventlog.title')}</span>
      </Link>
      <Link to="/evidence" className={classes.link} aria-label={t('evidence.title')}>
        <IconCertificate size={18} aria-hidden /><span>{t('evidence.title')}</span>
      </Link>
    </>
  );
}

// AdministrationLink says how many messages and requests wait for a decision, unless the
// links to them are in sight.
function AdministrationLink({ within }: { within: boolean }) {
  const { t, i18n } = useTranslation();
  const counts = useQuery({ ...quarantineCountsQuery, refetchInterval: 60_000 });
  const requests = useQuery({ ...requestsQuery, refetchInterval: 60_000 });
  const waiting = within ? 0 : (counts.data?.waiting ?? 0) + (requests.data?.waiting ?? 0);
  return (
    <Link to="/overview" className={classes.link} data-status={within ? 'active' : undefined} activeProps={{}} aria-current={undefined}
      aria-label={waiting > 0 ? t('app.administrationWaiting', { count: waiting }) : t('app.administration')}>
      <IconSettings size={18} aria-hidden /><span>{t('app.administration')}</span>
      {waiting > 0 && (
        <Badge size="sm" circle={waiting < 10} color="orange.9" aria-hidden styles={{ label: { display: 'inline' } }}>
          {waiting > 999 ? '999+' : formatNumber(waiting, i18n.language)}
        </Badge>
      )}
    </Link>
  );
}
