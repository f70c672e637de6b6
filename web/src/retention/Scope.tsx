import { useTranslation } from 'react-i18next';

import type { HoldScope, RetentionSetting } from '../api';
import { formatDateTime, plain } from '../format';
import { useAccount } from '../shell/usePage';

// useScope puts into words what a hold covers.
export function useScope(): (scope: HoldScope) => string {
  const { t, i18n } = useTranslation();
  const zone = useAccount().tenant?.zone;
  const when = (at: string | undefined) => (at ? formatDateTime(at, i18n.language, zone) : '…');
  return (s) => {
    if (s.messages.length > 0) {
      return t('retention.scopeMessages', { count: s.messages.length });
    }
    const what = s.all ? t('retention.scopeAll') : t('retention.scopeAddresses', { addresses: plain(s.addresses.join(', ')) });
    return s.from || s.to ? `${what}, ${t('retention.arrived', { from: when(s.from), to: when(s.to) })}` : what;
  };
}

// useClassName puts the retention class of a message into words, if it is one that the
// archive gives itself.
export function useClassName(): (name: string) => string {
  const { t } = useTranslation();
  return (name) => (name === 'unclassified' ? t('retention.unclassified') : plain(name));
}

// useSetting puts into words how long mail is kept.
export function useSetting(): (s: RetentionSetting) => string {
  const { t, i18n } = useTranslation();
  const month = (n: number) => new Intl.DateTimeFormat(i18n.language, { month: 'long', timeZone: 'UTC' }).format(Date.UTC(2026, n - 1, 15));
  return (s) => {
    const text = t('retention.years', { count: s.years, law: t(`retention.law.${s.jurisdiction}`) });
    return s.jurisdiction === 'DE' || s.year_end === 12 ? text : `${text}, ${t('retention.businessYear', { month: month(s.year_end) })}`;
  };
}
