import { Badge } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { IconAt, IconCertificate, IconChartBar, IconChecklist, IconCloudUpload, IconListCheck, IconMailDown, IconMailForward, IconSearch, IconSettings, IconShieldLock, IconUsers, IconUsersGroup, IconWorld } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';

import { AccessLink, mayAccess } from '../access/AccessLink';
import { IconAt, IconBuildingStore, IconBuildings, IconChartBar, IconChecklist, IconCloudUpload, IconKey, IconMailDown, IconMailForward, IconSearch, IconSettings } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';

import type { Account } from '../api';
import { formatNumber } from '../format';
import { useAccount } from './usePage';
import { QuarantineLink } from '../routing/QuarantineLink';
import { quarantineCountsQuery } from '../routing/queries';
import classes from './Frame.module.css';
import { useAccount } from './usePage';

const administration = ['/overview', '/sources', '/completeness', '/quarantine', '/domains', '/selection', '/log'];
const administration = ['/overview', '/sources', '/completeness', '/quarantine', '/domains', '/selection', '/login-policy'];
const administration = ['/overview', '/sources', '/completeness', '/quarantine', '/domains', '/selection', '/users'];
const administration = ['/overview', '/sources', '/completeness', '/quarantine', '/domains', '/selection', '/tokens'];
const administration = ['/overview', '/sources', '/completeness', '/quarantine', '/domains', '/selection', '/directories'];
const administration = ['/overview', '/sources', '/completeness', '/quarantine', '/domains', '/selection', '/evidence'];

// isAdministration reports whether a page is one of those for administrators.
export const isAdministration = (path: string): boolean => administration.some((p) => path === p || path.startsWith(`${p}/`));

// Navigation leads to what everybody does, and to administration.
export function Navigation({ account, path }: { account: Account; path: string }) {
  const { t } = useTranslation();
  const role: string = useAccount().role;
  const { role } = useAccount();
  if (operator) { // sees no mail: there is nothing to search
    return (
      <nav aria-label={t('app.navigation')} className={classes.nav}>
        <Link to="/smarthost" className={classes.link} aria-label={t('app.smarthost')}>
          <IconMailForward size={18} aria-hidden /><span>{t('app.smarthost')}</span>
        </Link>
        <Link to="/site" className={classes.link} aria-label={t('site.title')}>
          <IconWorld size={18} aria-hidden /><span>{t('site.title')}</span>
        </Link>
        <EventLogLink />
        <Link to="/login-policy" className={classes.link} aria-label={t('logins.policyNav')}>
          <IconShieldLock size={18} aria-hidden /><span>{t('logins.policyNav')}</span>
        <Link to="/sealing" className={classes.link} aria-label={t('evidence.sealing')}>
          <IconCertificate size={18} aria-hidden /><span>{t('evidence.sealing')}</span>
        </Link>
      </nav>
    );
  if (account.role === 'operator' || account.role === 'reseller') { // see no mail: there is nothing to search
    return <NavigationAbove operator={account.role === 'operator'} />;
  }
  const admin = account.role === 'tenant-admin';
  return (
    <nav aria-label={t('app.navigation')} className={classes.nav}>
      <Link to="/" className={classes.link} activeOptions={{ exact: true, includeSearch: false }} aria-label={t('app.search')}>
        <IconSearch size={18} aria-hidden /><span>{t('app.search')}</span>
      </Link>
      <Link to="/upload" className={classes.link} aria-label={t('upload.title')}>
        <IconCloudUpload size={18} aria-hidden /><span>{t('upload.title')}</span>
      </Link>
      {(role === 'auditor' || role === 'dpo') && <EventLogLink />}
      {mayAccess(role) && <AccessLink className={classes.link} />}
      {admin && <AdministrationLink within={isAdministration(path)} />}
    </nav>
  );
}

function EventLogLink() {
  const { t } = useTranslation();
  return (
    <Link to="/log" className={classes.link} aria-label={t('eventlog.title')}>
      <IconListCheck size={18} aria-hidden /><span>{t('eventlog.title')}</span>
    </Link>
// NavigationAbove leads those above the customers to what they look after.
function NavigationAbove({ operator }: { operator: boolean }) {
  const { t } = useTranslation();
  return (
    <nav aria-label={t('app.navigation')} className={classes.nav}>
      <Link to="/tenants" className={classes.link} aria-label={t('tenants.title')}>
        <IconBuildings size={18} aria-hidden /><span>{t('tenants.title')}</span>
      </Link>
      <Link to={operator ? '/resellers' : '/reseller'} className={classes.link} aria-label={t(operator ? 'resellers.title' : 'resellers.own')}>
        <IconBuildingStore size={18} aria-hidden /><span>{t(operator ? 'resellers.title' : 'resellers.own')}</span>
      </Link>
      <Link to="/tokens" className={classes.link} aria-label={t('tokens.title')}>
        <IconKey size={18} aria-hidden /><span>{t('tokens.title')}</span>
      </Link>
      {operator && (
        <Link to="/smarthost" className={classes.link} aria-label={t('app.smarthost')}>
          <IconMailForward size={18} aria-hidden /><span>{t('app.smarthost')}</span>
        </Link>
      )}
    </nav>
  );
}

// AdministrationLink says how many messages wait for a decision, unless the link to
// them is in sight.
function AdministrationLink({ within }: { within: boolean }) {
  const { t, i18n } = useTranslation();
  const counts = useQuery({ ...quarantineCountsQuery, refetchInterval: 60_000 });
  const waiting = within ? 0 : (counts.data?.waiting ?? 0);
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

// Administration leads from one page for administrators to the others.
export function Administration() {
  const { t } = useTranslation();
  return (
    <nav aria-label={t('app.administration')} className={classes.pages}>
      <Link to="/overview" className={classes.link}>
        <IconChartBar size={18} aria-hidden /><span>{t('app.dashboard')}</span>
      </Link>
      <Link to="/sources" className={classes.link}>
        <IconMailDown size={18} aria-hidden /><span>{t('app.sources')}</span>
      </Link>
      <Link to="/completeness" className={classes.link} activeOptions={{ includeSearch: false }}>
        <IconChecklist size={18} aria-hidden /><span>{t('app.completeness')}</span>
      </Link>
      <QuarantineLink className={classes.link} />
      <Link to="/domains" className={classes.link}>
        <IconAt size={18} aria-hidden /><span>{t('routing.domains')}</span>
      </Link>
      <EventLogLink />
      <Link to="/login-policy" className={classes.link}>
        <IconShieldLock size={18} aria-hidden /><span>{t('logins.policyNav')}</span>
      <Link to="/users" className={classes.link}>
        <IconUsers size={18} aria-hidden /><span>{t('users.title')}</span>
      <Link to="/tokens" className={classes.link}>
        <IconKey size={18} aria-hidden /><span>{t('tokens.title')}</span>
      <Link to="/directories" className={classes.link}>
        <IconUsersGroup size={18} aria-hidden /><span>{t('directories.nav')}</span>
      <Link to="/evidence" className={classes.link}>
        <IconCertificate size={18} aria-hidden /><span>{t('evidence.title')}</span>
      </Link>
    </nav>
  );
}
