// The texts of a language come in two files: what log-in, search, reading and the account
// need, and what only the pages of administration need. Whoever only looks for mail does
// not wait for the second.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import type { Plugin } from 'vite';

// later are the groups of texts that only pages of administration need, each with those of
// its keys that are needed elsewhere. A test compares it with the source.
export const later: Readonly<Record<string, readonly string[]>> = {
  admin: [], board: [], completeness: [], mailLogIn: [], smarthost: [], setup: [], folder: [], mailRules: [], tenantDomains: [], proving: [],
  users: ['title'], eventlog: ['title'], webhooks: ['title'], tenants: ['title'], upload: ['title'], site: ['title'], staff: ['title'], resellers: ['title', 'own'], tokens: ['title'],
  history: ['filing', 'flag', 'inFolder', 'flags', 'mailboxDate'],
  directories: ['nav', 'tenantHint', 'nameTenant', 'down', 'logInWith', 'problem', 'providerFailed'],
};

type Texts = Record<string, Record<string, unknown>>;

// part picks one of the two files' texts.
export function part(all: Texts, wanted: 'first' | 'later'): Texts {
  const out: Texts = {};
  for (const [group, texts] of Object.entries(all)) {
    const elsewhere = later[group];
    const first = ([key]: [string, unknown]) => !elsewhere || elsewhere.includes(key) || elsewhere.includes(key.replace(/_\w+$/u, ''));
    const picked = Object.entries(texts).filter((entry) => first(entry) === (wanted === 'first'));
    if (picked.length > 0) {
      out[group] = Object.fromEntries(picked);
    }
  }
  return out;
}

const prefix = 'virtual:texts/';

// textsInParts offers them as modules: virtual:texts/de-first and so on.
export function textsInParts(): Plugin {
  return {
    name: 'texts-in-parts',
    resolveId: (id) => (id.startsWith(prefix) ? `\0${id}` : undefined),
    load(id) {
      if (!id.startsWith(`\0${prefix}`)) {
        return undefined;
      }
      const [language, wanted] = id.slice(prefix.length + 1).split('-');
      const file = fileURLToPath(new URL(`src/locales/${language}.json`, import.meta.url));
      this.addWatchFile(file);
      const texts = part(JSON.parse(readFileSync(file, 'utf8')) as Texts, wanted === 'first' ? 'first' : 'later');
      return `export default ${JSON.stringify(texts)}`;
    },
  };
}
