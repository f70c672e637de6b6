import { describe, expect, it } from 'vitest';

import de from '../locales/de.json';
import en from '../locales/en.json';
import { cureOf } from './cure';

describe('cureOf', () => {
  it('promises nothing after a test of settings that are not saved', () => {
    for (const { sources } of [de, en]) {
      for (const code of Object.keys(sources.cure) as (keyof typeof sources.cure)[]) {
        const [, group, name] = cureOf(code, true).split('.') as ['sources', 'cure' | 'cureOfTest', keyof typeof sources.cureOfTest];
        expect(sources[group][name], code).not.toMatch(/keeps trying|by itself|versucht es/u);
      }
    }
  });
  it('says of a source that the archive keeps trying', () => {
    expect(cureOf('connect', false)).toBe('sources.cure.connect');
  });
});
