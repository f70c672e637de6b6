import type { AccountLine, ServerCount } from '../api';
import { countedBy } from '../history/words';

export const outcomes = ['stored', 'duplicate', 'repeated', 'excluded', 'quarantined', 'released', 'refused', 'left'] as const;
export type Outcome = (typeof outcomes)[number];
export type Counts = Record<Outcome, number>;

export type Row = { key: string; day: string; source: string; name: string; kind: string; counts: Counts; offered: number; counted?: number };

const none = (): Counts => ({ stored: 0, duplicate: 0, repeated: 0, excluded: 0, quarantined: 0, released: 0, refused: 0, left: 0 });

// rowsOf puts the lines of an account into a table: a row for each day and source,
// the newest day first, or for each source.
export function rowsOf(lines: readonly AccountLine[], by: 'day' | 'source', counts: readonly ServerCount[] = []): Row[] {
  const rows = new Map<string, Row>();
  for (const line of lines) {
    const day = by === 'day' ? line.day : '';
    const key = `${day} ${line.source}`;
    const row = rows.get(key) ?? { key, day, source: line.source, name: line.name, kind: line.kind, counts: none(), offered: 0 };
    row.counts[line.outcome] += line.count;
    row.offered += line.count;
    rows.set(key, row);
  }
  for (const c of counts) { // also of days on which nothing was offered
    const day = by === 'day' ? c.day : '';
    const key = `${day} ${c.source}`;
    rows.set(key, rows.get(key) ?? { key, day, source: c.source, name: c.name, kind: c.kind, counts: none(), offered: 0 });
  }
  countedBy(counts, by).forEach((counted, key) => Object.assign(rows.get(key) ?? {}, { counted }));
  return [...rows.values()].sort((a, b) => (a.day === b.day ? a.name.localeCompare(b.name) || (a.source < b.source ? -1 : 1) : a.day < b.day ? 1 : -1));
}

// isShort reports whether a server counted more than was offered.
export const isShort = (row: Row): boolean => (row.counted ?? 0) > row.offered;

export function sumOf(rows: readonly Row[]): { counts: Counts; offered: number } {
  const counts = none();
  let offered = 0;
  for (const row of rows) {
    outcomes.forEach((o) => (counts[o] += row.counts[o]));
    offered += row.offered;
  }
  return { counts, offered };
}

const lengths = { week: 7, month: 30, quarter: 90, year: 365 } as const;
export type Period = keyof typeof lengths | 'all' | 'own';

// boundsOf returns the first and the last day of a period; '' is no bound. Days are
// those of UTC, as in the account.
export function boundsOf(period: Period, own: { from: string; to: string }, now: Date): { from: string; to: string } {
  if (period === 'own') {
    return own;
  }
  if (period === 'all') {
    return { from: '', to: '' };
  }
  const first = new Date(now.getTime() - (lengths[period] - 1) * 86_400_000);
  return { from: first.toISOString().slice(0, 10), to: '' };
}
