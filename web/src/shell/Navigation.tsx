import { Badge } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { IconAt, IconCertificate, IconChartBar, IconChecklist, IconCloudUpload, IconMailDown, IconMailForward, IconSearch, IconSettings } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';

import { formatNumber } from '../format';
import { QuarantineLink } from '../routing/QuarantineLink';
import { quarantineCountsQuery } from '../routing/queries';
import classes from './Frame.module.css';

const administration = ['/overview', '/sources', '/completeness', '/quarantine', '/domains', '/selection', '/evidence'];

// isAdministration reports whether a page is one of those for administrators.
export const isAdministration = (path: string): boolean => administration.some((p) => path === p || path.startsWith(`${p}/`));

// Navigation leads to what everybody does, and to administration.
export function Navigation({ admin, operator, path }: { admin: boolean; operator: boolean; path: string }) {
  const { t } = useTranslation();
  if (operator) { // sees no mail: there is nothing to search
    return (
      <nav aria-label={t('app.navigation')} className={classes.nav}>
        <Link to="/smarthost" className={classes.link} aria-label={t('app.smarthost')}>
          <IconMailForward size={18} aria-hidden /><span>{t('app.smarthost')}</span>
        </Link>
        <Link to="/sealing" className={classes.link} aria-label={t('evidence.sealing')}>
          <IconCertificate size={18} aria-hidden /><span>{t('evidence.sealing')}</span>
        </Link>
      </nav>
    );
  }
  return (
    <nav aria-label={t('app.navigation')} className={classes.nav}>
      <Link to="/" className={classes.link} activeOptions={{ exact: true, includeSearch: false }} aria-label={t('app.search')}>
        <IconSearch size={18} aria-hidden /><span>{t('app.search')}</span>
      </Link>
      <Link to="/upload" className={classes.link} aria-label={t('upload.title')}>
        <IconCloudUpload size={18} aria-hidden /><span>{t('upload.title')}</span>
      </Link>
      {admin && <AdministrationLink within={isAdministration(path)} />}
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
      <Link to="/evidence" className={classes.link}>
        <IconCertificate size={18} aria-hidden /><span>{t('evidence.title')}</span>
      </Link>
    </nav>
  );
}
