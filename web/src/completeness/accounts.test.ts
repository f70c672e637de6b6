import { expect, it } from 'vitest';

import type { AccountLine } from '../api';
import { boundsOf, rowsOf, sumOf } from './accounts';

const line = (day: string, source: string, outcome: AccountLine['outcome'], count: number): AccountLine => ({ day, source, name: `name of ${source}`, kind: 'mailbox', outcome, count, bytes: 1 });
const lines = [
  line('2026-01-01', 'b', 'stored', 1), line('2026-01-01', 'a', 'stored', 2), line('2026-01-01', 'a', 'left', 4), line('2026-01-02', 'a', 'refused', 8),
];

it('has a row for each day and source, the newest first', () => {
  const rows = rowsOf(lines, 'day');
  expect(rows.map((r) => [r.day, r.source, r.offered])).toEqual([['2026-01-02', 'a', 8], ['2026-01-01', 'a', 6], ['2026-01-01', 'b', 1]]);
  expect(rows[1]?.counts).toMatchObject({ stored: 2, left: 4, refused: 0 });
});

it('has a row for each source, and the same sums', () => {
  const rows = rowsOf(lines, 'source');
  expect(rows.map((r) => [r.source, r.offered])).toEqual([['a', 14], ['b', 1]]);
  expect(sumOf(rows)).toEqual(sumOf(rowsOf(lines, 'day')));
  expect(sumOf(rows)).toMatchObject({ offered: 15, counts: { stored: 3, left: 4, refused: 8, duplicate: 0 } });
});

it('knows the days of a period', () => {
  const now = new Date('2026-03-01T23:30:00Z');
  expect(boundsOf('week', { from: '', to: '' }, now)).toEqual({ from: '2026-02-23', to: '' });
  expect(boundsOf('all', { from: 'x', to: 'y' }, now)).toEqual({ from: '', to: '' });
  expect(boundsOf('own', { from: '2026-01-01', to: '' }, now)).toEqual({ from: '2026-01-01', to: '' });
});
