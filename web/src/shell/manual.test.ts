import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { manualAddress, sectionOf, sections } from './manual';

const root = join(import.meta.dirname, '..', '..', '..');
const router = readFileSync(join(root, 'web', 'src', 'router.tsx'), 'utf8');
const routes = [...router.matchAll(/^ {2}path: '([^']+)'/gmu)].map((m) => m[1] ?? '');
const roles = ['operator', 'reseller', 'tenant-admin', 'auditor', 'dpo', 'user'] as const;

describe('the manual', () => {
  it('has a section for every page', () => {
    expect(routes.length).toBeGreaterThan(30);
    expect(Object.keys(sections).sort()).toEqual([...routes].sort());
  });
  it.each(['de', 'en'])('has every section that pages lead to, %s', (language) => {
    const wanted = new Set(routes.flatMap((route) => roles.map((role) => sectionOf(route, role) ?? route)));
    const missing = [...wanted].filter((section) => {
      const [page, heading] = section.split('#');
      return !readFileSync(join(root, 'docs', 'manual', language, `${page}.md`), 'utf8').includes(`<a id="${heading}"></a>\n`);
    });
    expect(missing).toEqual([]);
  });
  it('is found by the role of the reader, in the reader’s language', () => {
    expect(sectionOf('/log', 'operator')).toBe('operator#log');
    expect(sectionOf('/log', 'auditor')).toBe('auditor#log');
    expect(sectionOf('/nowhere')).toBeUndefined();
    expect(manualAddress('de', 'user#search')).toBe('/manual/de/user#search');
    expect(manualAddress('en')).toBe('/manual/en/index');
  });
});
