import { Link } from '@tanstack/react-router';
import { useEffect, useRef } from 'react';
import { useTranslation } from 'react-i18next';

import { AccessLink } from '../access/AccessLink';
import type { Account } from '../api';
import { QuarantineLink } from '../routing/QuarantineLink';
import classes from './Frame.module.css';
import { sectionsOf, type Place } from './pages';

// Administration leads from one page for administrators to the others: a column beside
// the page, or a strip above it where there is no room.
export function Administration({ account, path }: { account: Account; path: string }) {
  const { t } = useTranslation();
  const strip = useRef<HTMLElement>(null);
  useEffect(() => {
    const here = strip.current?.querySelector<HTMLElement>('[data-status=active]');
    const nav = strip.current;
    if (nav && here) { // scrollIntoView would move the page as well
      nav.scrollLeft = here.offsetLeft - (nav.clientWidth - here.offsetWidth) / 2;
    }
  }, [path]);
  return (
    <nav ref={strip} aria-label={t('app.administration')} className={classes.pages}>
      {sectionsOf(account.role).map((section, i) => (
        <div key={i} className={classes.section}>
          {section.title && <div className={classes.heading}>{t(section.title)}</div>}
          {section.places.map((place) => <PlaceLink key={place.to} place={place} />)}
        </div>
      ))}
    </nav>
  );
}

function PlaceLink({ place }: { place: Place }) {
  const { t } = useTranslation();
  if (!('icon' in place)) {
    return place.to === '/access' ? <AccessLink className={classes.link} /> : <QuarantineLink className={classes.link} />;
  }
  const { icon: Sign } = place;
  return (
    <Link to={place.to} className={classes.link} activeOptions={{ includeSearch: false }}>
      <Sign size={18} aria-hidden /><span>{t(place.text)}</span>
    </Link>
  );
}
