import { useTranslation } from 'react-i18next';

import en from '../locales/en.json';

type Action = keyof typeof en.eventlog.action;

const known = (key: string): key is Action => Object.hasOwn(en.eventlog.action, key);

// useAction says in the reader's language what was done. What this release has no
// words for is shown as the log calls it.
export function useAction(): (action: string) => string {
  const { t } = useTranslation();
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
