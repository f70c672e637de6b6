import { Link } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';

import classes from './Routing.module.css';

// RoutingTabs leads from the domains to the selected addresses and back.
export function RoutingTabs() {
  const { t } = useTranslation();
  return (
    <nav className={classes.tabs} aria-label={t('routing.pages')}>
      <Link to="/domains" className={classes.tab} activeOptions={{ exact: true }}>{t('routing.domains')}</Link>
      <Link to="/selection" className={classes.tab}>{t('routing.selection')}</Link>
    </nav>
  );
}
