import { useTranslation } from 'react-i18next';

import type en from '../locales/en.json';

type Action = keyof typeof en.eventlog.action;

// useAction says in the reader's language what was done. What this release has no
// words for is shown as the log calls it.
export function useAction(): (action: string) => string {
  const { t, i18n } = useTranslation();
  const known = (key: string): key is Action => i18n.exists(`eventlog.action.${key}`);
  return (action) => {
    const key = action.replace('.', '-');
    return known(key) ? t(`eventlog.action.${key}`) : action;
  };
}

// useActor says who did it.
export function useActor(): (actor: string, name?: string) => string {
  const { t } = useTranslation();
  return (actor, name) => {
    switch (actor.split(':')[0]) {
      case 'cli':
        return t('eventlog.who.cli');
      case 'system':
        return t('eventlog.who.system');
      case 'source':
        return name ? t('eventlog.who.source', { name }) : actor;
      default:
        return name ?? actor;
    }
  };
}
