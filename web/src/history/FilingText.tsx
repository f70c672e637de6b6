import { useTranslation } from 'react-i18next';

import type { Filing } from '../api';
import { formatDateTime, plain } from '../format';
import { useAccount } from '../shell/usePage';
import { wordOfFlag } from './words';

// useFiling says in one line how a message was filed in its mailbox.
export function useFiling(): (filing: Filing | undefined) => string {
  const { t, i18n } = useTranslation();
  const zone = useAccount().tenant?.zone;
  return (f) => {
    if (!f) {
      return '';
    }
    const word = (flag: string) => {
      const known = wordOfFlag(flag);
      return known ? t(`history.flag.${known}`) : plain(flag);
    };
    return [
      f.folder && t('history.inFolder', { folder: plain(f.folder) }),
      f.flags.length > 0 && t('history.flags', { flags: f.flags.map(word).join(', ') }),
      f.date && t('history.mailboxDate', { date: formatDateTime(f.date, i18n.language, zone) }),
    ].filter(Boolean).join(' · ');
  };
}
