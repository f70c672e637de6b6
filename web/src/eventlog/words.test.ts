import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import de from '../locales/de.json';
import en from '../locales/en.json';

// What the server writes into event logs, as far as its source has it in one piece.
const root = join(import.meta.dirname, '..', '..', '..', 'internal');
const source = readdirSync(root, { recursive: true, encoding: 'utf8' })
  .filter((f) => f.endsWith('.go') && !f.endsWith('_test.go') && !/catalogtest|testkit|archivetest/u.test(f))
  .map((f) => readFileSync(join(root, f), 'utf8'))
  .join('\n');
const acts = new Set([...source.matchAll(/(?:[eE]vent\w*\(|Action:\s*|\baction\b[^\n"]*=\s*|\bact[A-Z]\w*\s*=\s*|\blog\(ctx, )"([a-z]+(?:-[a-z]+)*\.[a-z]+(?:-[a-z]+)*)"/gu)].map((m) => m[1] ?? ''));

describe('the event log', () => {
  it('is understood', () => {
    expect(acts.size).toBeGreaterThan(50);
    expect(acts).toContain('mail.searched');
  });
  it.each([...acts])('has words for %s', (act) => {
    const key = act.replace('.', '-');
    expect(Object.keys(en.eventlog.action)).toContain(key);
    expect(Object.keys(de.eventlog.action)).toContain(key);
  });
});
