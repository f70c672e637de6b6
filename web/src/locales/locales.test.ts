import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import de from './de.json';
import en from './en.json';

function flatten(node: object, path = ''): Map<string, string> {
  const out = new Map<string, string>();
  for (const [key, value] of Object.entries(node)) {
    const name = path ? `${path}.${key}` : key;
    if (typeof value === 'string') {
      out.set(name, value);
    } else {
      flatten(value as object, name).forEach((v, k) => out.set(k, v));
    }
  }
  return out;
}

const german = flatten(de);
const english = flatten(en);
const placeholders = (text: string) => [...text.matchAll(/\{\{(\w+)\}\}/gu)].map((m) => m[1]).sort();

describe('the two languages', () => {
  it('have the same keys', () => {
    expect([...german.keys()].sort()).toEqual([...english.keys()].sort());
  });
  it.each([...english.keys()])('%s: same placeholders, no empty text', (key) => {
    const text = german.get(key) ?? '';
    expect(text.trim()).not.toBe('');
    expect(english.get(key)?.trim()).not.toBe('');
    expect(placeholders(text)).toEqual(placeholders(english.get(key) ?? ''));
  });
  it('speak to the reader formally in German', () => {
    const familiar = [...german].filter(([, text]) => /\b(?:du|dein|deine|deinen|dir|dich|euch)\b/iu.test(text));
    expect(familiar).toEqual([]);
  });
});

// Keys that are put together from a fixed part and a variable count as used.
describe('the keys', () => {
  const root = join(import.meta.dirname, '..');
  const source = readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter((f) => /\.tsx?$/u.test(f) && !f.includes('.test.') && !f.startsWith('api'))
    .map((f) => readFileSync(join(root, f), 'utf8'))
    .join('\n');
  it('are all used', () => {
    const unused = [...english.keys()].filter((key) => {
      const name = key.replace(/_(?:one|other)$/u, '');
      const group = name.slice(0, name.lastIndexOf('.'));
      return !source.includes(`'${name}'`) && !source.includes(`\`${group}.\${`);
    });
    expect(unused).toEqual([]);
  });
});

// Text in a component would never be translated.
describe('the components', () => {
  const root = join(import.meta.dirname, '..');
  const files = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((f) => f.endsWith('.tsx'));
  it.each(files)('%s shows no text of its own', (file) => {
    const source = readFileSync(join(root, file), 'utf8');
    const shown = [...source.matchAll(/>\s*([A-Z][a-zäöü]+(?: [a-zäöüA-Z]+)+)\s*</gu)].map((m) => m[1]);
    const attributes = [...source.matchAll(/\b(?:aria-label|title|label|placeholder|description|alt)="([^"]+)"/gu)].map((m) => m[1]);
    expect([...shown, ...attributes]).toEqual([]);
  });
});
