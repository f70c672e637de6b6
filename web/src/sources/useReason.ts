import { useTranslation } from 'react-i18next';

import { formatSize, plain } from '../format';
import { reasonOf } from './reason';

// useReason says in the reader's language why a message stays on a server.
export function useReason(): (detail: string) => string {
  const { t, i18n } = useTranslation();
  return (detail) => {
    const r = reasonOf(detail);
    if (!r) {
      return plain(detail);
    }
    switch (r.key) {
      case 'tooLarge':
        return t('sources.reason.tooLarge', { size: formatSize(r.size, i18n.language), limit: formatSize(r.limit, i18n.language) });
      case 'unreadable':
        return t('sources.reason.unreadable', { said: plain(r.said) });
      default:
        return t(`sources.reason.${r.key}`);
    }
  };
}
