import { useQuery } from '@tanstack/react-query';
import { useRouterState } from '@tanstack/react-router';
import { IconHelpCircle } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';

import { accountQuery } from '../queries';
import { manualAddress, sectionOf } from './manual';
import classes from './ManualLink.module.css';

// ManualLink leads to what the manual says of this page, beside the page: what has been
// entered stays. Without a session, nobody is asked who it is.
export function ManualLink({ small = false }: { small?: boolean }) {
  const { t, i18n } = useTranslation();
  const route = useRouterState({ select: (s) => s.matches.at(-1)?.fullPath ?? '' });
  const account = useQuery({ ...accountQuery, enabled: false });
  const address = manualAddress(i18n.resolvedLanguage ?? 'en', sectionOf(route.replace(/(?<=.)\/$/u, ''), account.data?.role));
  return (
    <a href={address} target="_blank" rel="noopener" className={small ? classes.small : classes.link} title={t('app.manualHint')}>
      <IconHelpCircle size={small ? 14 : 16} aria-hidden />{t('app.manual')}
    </a>
  );
}

// Titled puts the way to the manual beside the title of a page.
export function Titled({ children }: { children: ReactNode }) {
  return <div className={classes.titled}>{children}<ManualLink /></div>;
}
