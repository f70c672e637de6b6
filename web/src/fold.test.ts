import { describe, expect, it } from 'vitest';

import { searchable, wordsOf } from './fold';

const finds = (text: string, name: string) => wordsOf(text).every((w) => searchable([name]).includes(w));

describe('finding names', () => {
  it.each([
    ['müller', 'Müller'], ['MULLER', 'Müller'], ['mueller', 'Müller'], ['Mu\u0308ller', 'Müller'], ['weiss', 'Weiß'], ['WEISS', 'Weiß'], ['ozturk', 'Öztürk'], ['yilmaz', 'Yılmaz'],
    ['lukasz', 'Łukasz'], ['oyvind', 'Øyvind'], ['simunek', 'Šimůnek'], ['o\'neil', 'O\'Neil'], ['müller', 'MÜLLER'], ['istanbul', 'İstanbul'],
  ])('%s finds %s', (text, name) => {
    expect(finds(text, name)).toBe(true);
  });
  it.each([['mueller', 'Muller'], ['anna', 'Hanno']])('%s does not find %s', (text, name) => {
    expect(finds(text, name)).toBe(false);
  });
});
