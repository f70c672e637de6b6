import i18n from 'i18next';
import { initReactI18next } from 'react-i18next';

import de from './locales/de.json';
import en from './locales/en.json';

export const languages = ['de', 'en'] as const;
export type Language = (typeof languages)[number];

declare module 'i18next' {
  interface CustomTypeOptions {
    defaultNS: 'translation';
    resources: { translation: typeof en };
  }
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
  void i18n.changeLanguage(wanted);
}

function remembered(): Language {
  try {
    const stored = localStorage.getItem(storageKey);
    return languages.find((l) => l === stored) ?? browserLanguage();
  } catch {
    return browserLanguage();
  }
}

const first = remembered();
document.documentElement.lang = first;
void i18n.use(initReactI18next).init({
  resources: { de: { translation: de }, en: { translation: en } },
  lng: first,
  fallbackLng: 'en',
  supportedLngs: [...languages],
  interpolation: { escapeValue: false }, // React escapes
  returnNull: false,
});

export default i18n;
