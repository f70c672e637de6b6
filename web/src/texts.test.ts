import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

import { later, part } from '../texts';
import de from './locales/de.json';

// What everybody loads: log-in, search with everything it opens, the account, the frame.
const roots = ['login/LogInPage.tsx', 'login/ForgottenPage.tsx', 'login/LinkPage.tsx', 'search/SearchPage.tsx', 'account/AccountPage.tsx', 'main.tsx', 'router.tsx'];
const source = import.meta.dirname;

// reached are the files that these import. Pages that the router opens later are not.
function reached(): Map<string, string> {
  const files = new Map<string, string>();
  const wait = roots.map((file) => join(source, file));
  for (let file = wait.pop(); file; file = wait.pop()) {
    if (files.has(file)) {
      continue;
    }
    const text = readFileSync(file, 'utf8');
    files.set(file, text);
    const imports = [...text.matchAll(/from '(\.[^']+)'/gu), ...(file.endsWith('router.tsx') ? [] : text.matchAll(/import\('(\.[^']+)'\)/gu))];
    for (const [, name] of imports) {
      const found = ['.ts', '.tsx'].map((end) => resolve(dirname(file), name + end)).find(existsSync);
      if (found) {
        wait.push(found);
      }
    }
  }
  return files;
}

describe('texts in parts', () => {
  it('loses none', () => {
    const first = part(de, 'first');
    const rest = part(de, 'later');
    const together = Object.fromEntries(Object.keys(de).map((group) => [group, { ...first[group], ...rest[group] }]));
    expect(together).toEqual(de);
    expect(JSON.stringify(first).length).toBeLessThan(JSON.stringify(de).length * 0.7);
  });

  it('has what everybody needs in the first', () => {
    const files = reached();
    expect(files.size).toBeGreaterThan(60);
    const missing: string[] = [];
    for (const [file, text] of files) {
      for (const [key, group = '', name = ''] of text.matchAll(/['"`](\w+)\.(\w+|\$)/gu)) {
        const kept = later[group];
        if (kept && group in de && !kept.includes(name.replace(/_\w+$/u, ''))) {
          missing.push(`${file.slice(source.length + 1)}: ${key.slice(1)}`);
        }
      }
    }
    expect(missing).toEqual([]);
  });
});
