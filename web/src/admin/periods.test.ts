import { describe, expect, it } from 'vitest';

import { nameOf, received, roof } from './periods';

const point = (bytes: number) => ({ from: '2026-11-26', messages: 1, bytes });

describe('the curve of what was received', () => {
  it('ends with what there is now', () => {
    expect(received([point(1), point(2), point(4)], 100)).toEqual([94, 96, 100]);
  });
  it('does not go below nothing', () => {
    expect(received([point(1), point(200)], 100)).toEqual([0, 100]);
    expect(received([], 100)).toEqual([]);
  });
});

describe('the top of a scale', () => {
  it.each([[0, 1], [1, 1], [2, 2], [3, 5], [10, 10], [11, 20], [999, 1000], [5_000_001, 10_000_000]])('of %d is %d', (n, want) => {
    expect(roof(n)).toBe(want);
  });
});

describe('the name of a period', () => {
  it('is that of its days, whatever the zone', () => {
    expect(nameOf('day', '2026-11-26', 'de', true)).toBe('Donnerstag, 26. November 2026');
    expect(nameOf('week', '2026-11-23', 'de', true)).toBe('23.–29. November 2026');
    expect(nameOf('month', '2026-11-01', 'de', true)).toBe('November 2026');
    expect(nameOf('year', '2026-01-01', 'de', true)).toBe('2026');
  });
});
