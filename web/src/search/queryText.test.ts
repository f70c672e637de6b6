import { describe, expect, it } from 'vitest';

import { addTerm, characters, fromMark, hasTerm, pieces, removeRange, removeTerm, replaceRange } from './queryText';

describe('positions', () => {
  it('count characters, not UTF-16 units', () => {
    expect(characters('a😀ö')).toBe(3);
    expect(replaceRange('😀 fro x', 2, 5, 'from:')).toBe('😀 from: x');
  });
});

describe('removeRange', () => {
  it.each([
    ['from:anna invoice', 0, 9, 'invoice'],
    ['invoice from:anna', 8, 17, 'invoice'],
    ['a from:x b', 2, 8, 'a b'],
    ['invoice -has:attachment', 8, 23, 'invoice'],
    ['invoice -has:attachment', 9, 23, 'invoice'],
    ['NOT from:x a', 4, 10, 'a'],
    ['NICHT von:x a', 6, 11, 'a'],
    ['from:a AND b', 0, 6, 'b'],
    ['b UND from:a', 6, 12, 'b'],
    ['a (from:b) c', 3, 9, 'a c'],
    ['a OR from:b OR c', 5, 11, 'a OR c'],
    ['"a AND  b" from:c', 11, 17, '"a AND b"'],
    ['😀 from:b', 2, 8, '😀'],
    ['from:a', 0, 6, ''],
  ])('%s %i-%i', (text, start, end, want) => {
    expect(removeRange(text, start, end)).toBe(want);
  });
});

describe('terms', () => {
  it('are added once, and bind to the whole query', () => {
    expect(addTerm('', 'date:2024')).toBe('date:2024');
    expect(addTerm('invoice', 'date:2024')).toBe('invoice date:2024');
    expect(addTerm('invoice date:2024', 'date:2024')).toBe('invoice date:2024');
    expect(addTerm('a OR b', 'date:2024')).toBe('(a OR b) date:2024');
    expect(addTerm('(a ODER b) c', 'date:2024')).toBe('(a ODER b) c date:2024');
    expect(addTerm('"a OR b"', 'date:2024')).toBe('"a OR b" date:2024');
  });
  it('are found only whole', () => {
    expect(hasTerm('date:2024-05', 'date:2024')).toBe(false);
    expect(hasTerm('-has:attachment', 'has:attachment')).toBe(false);
    expect(hasTerm('(date:2024)', 'date:2024')).toBe(true);
    expect(hasTerm('date:2024-05 date:2024', 'date:2024')).toBe(true);
  });
  it('are taken away again', () => {
    for (const q of ['invoice', '(a OR b)', '', 'from:"Anna Berger"']) {
      expect(removeTerm(addTerm(q, 'category:x'), 'category:x')).toBe(q);
    }
    expect(removeTerm('invoice', 'date:2024')).toBe('invoice');
  });
});

describe('fromMark', () => {
  const shown = (text: string, start: number, end: number) => {
    const cut = fromMark(text, [{ start, end }], 8);
    return pieces(cut.text, cut.marks).map((p) => (p.marked ? `[${p.text}]` : p.text)).join('');
  };
  it('leaves what is in sight', () => {
    expect(shown('one two three', 4, 7)).toBe('one [two] three');
    expect(fromMark('none', [])).toEqual({ text: 'none', marks: [] });
  });
  it('cuts at a word', () => {
    expect(shown('a very long way before the hit comes', 27, 30)).toBe('…the [hit] comes');
    expect(shown('😀 very long way before the hit comes', 27, 30)).toBe('…the [hit] comes');
    expect(shown('averyveryveryverylongword-hit', 26, 29)).toBe('…[hit]');
  });
});

describe('pieces', () => {
  const join = (text: string, marks: { start: number; end: number }[]) => pieces(text, marks).map((p) => (p.marked ? `[${p.text}]` : p.text)).join('');
  it('cut at characters', () => {
    expect(join('a😀bc', [{ start: 1, end: 2 }])).toBe('a[😀]bc');
    expect(join('Öl und öl', [{ start: 7, end: 9 }, { start: 0, end: 2 }])).toBe('[Öl] und [öl]');
  });
  it('survive marks that overlap, are empty or lie outside', () => {
    expect(join('abcdef', [{ start: 1, end: 4 }, { start: 2, end: 3 }, { start: 3, end: 5 }])).toBe('a[bcd][e]f');
    expect(join('abc', [{ start: 2, end: 2 }, { start: 5, end: 9 }])).toBe('abc');
    expect(join('abc', [{ start: 2, end: 99 }])).toBe('ab[c]');
    expect(join('', [{ start: 0, end: 1 }])).toBe('');
  });
});
