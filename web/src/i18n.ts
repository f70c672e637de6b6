import i18n from 'i18next';
import { initReactI18next } from 'react-i18next';

import type en from './locales/en.json';

export const languages = ['de', 'en'] as const;
export type Language = (typeof languages)[number];

declare module 'i18next' {
  interface CustomTypeOptions {
    defaultNS: 'translation';
    resources: { translation: typeof en };
  }
}

// parts are the files of a language (see texts.ts).
const parts = {
  de: { first: () => import('virtual:texts/de-first'), later: () => import('virtual:texts/de-later') },
  en: { first: () => import('virtual:texts/en-first'), later: () => import('virtual:texts/en-later') },
} as const;
let administers = false; // whether a page was opened that needs the second file
const loaded = new Set<string>();

// load fetches the texts of one language that are needed: nobody waits for those of the
// others. All of them are complete, so that none stands in for another.
async function load(language: Language): Promise<void> {
  for (const part of administers ? (['first', 'later'] as const) : (['first'] as const)) {
    if (!loaded.has(`${language}/${part}`)) {
      const texts = await parts[language][part]();
      i18n.addResourceBundle(language, 'translation', texts.default, true);
      loaded.add(`${language}/${part}`);
    }
  }
}

// withTexts makes a page of administration wait for its texts, too.
export function withTexts<Page>(page: () => Promise<Page>): () => Promise<Page> {
  return async () => {
    administers = true;
    const [opened] = await Promise.all([page(), load(languages.find((l) => l === document.documentElement.lang) ?? 'en')]);
    return opened;
  };
}

const storageKey = 'muniment-language';

// browserLanguage is the first language of the browser that the interface speaks.
export function browserLanguage(): Language {
  for (const tag of navigator.languages) {
    const found = languages.find((l) => tag.toLowerCase().startsWith(l));
    if (found) {
      return found;
    }
  }
  return 'en';
}

// speak switches the interface; '' means the browser's language. The choice is
// remembered for the log-in page, which knows no account yet.
export function speak(language: '' | Language): void {
  const wanted = language || browserLanguage();
  try {
    localStorage.setItem(storageKey, language);
  } catch {
    // Without storage the choice lasts as long as the page.
  }
  document.documentElement.lang = wanted;
  void load(wanted).then(() => {
    if (document.documentElement.lang === wanted) { // and nothing else was chosen meanwhile
      void i18n.changeLanguage(wanted);
    }
  });
}

function remembered(): Language {
  try {
    const stored = localStorage.getItem(storageKey);
    return languages.find((l) => l === stored) ?? browserLanguage();
  } catch {
    return browserLanguage();
  }
}

// startLanguage must have ended before anything is shown.
export async function startLanguage(): Promise<void> {
  const first = remembered();
  document.documentElement.lang = first;
  await i18n.use(initReactI18next).init({
    resources: {},
    lng: first,
    fallbackLng: false,
    supportedLngs: [...languages],
    interpolation: { escapeValue: false }, // React escapes
    returnNull: false,
    react: { useSuspense: false },
  });
  await load(first);
  await i18n.changeLanguage(first); // only now is it known that there are texts of it
}

export default i18n;
