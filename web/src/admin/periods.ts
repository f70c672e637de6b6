import type { Dashboard } from '../api';
import { regional } from '../format';

export type Unit = Dashboard['by'];
export type Point = Dashboard['growth'][number];

export const units: readonly Unit[] = ['day', 'week', 'month', 'year'];

// received returns how many bytes had been received at the end of each period: what there
// is now, less what came in later.
export function received(points: readonly Point[], total: number): number[] {
  const out = new Array<number>(points.length);
  let left = total;
  for (let i = points.length - 1; i >= 0; i--) {
    out[i] = Math.max(0, left);
    left -= points[i]?.bytes ?? 0;
  }
  return out;
}

// roof is a round number that is not below n: 1, 2 or 5 with zeros.
export function roof(n: number): number {
  if (n <= 1) {
    return 1;
  }
  const step = 10 ** Math.floor(Math.log10(n));
  return [1, 2, 5, 10].map((f) => f * step).find((r) => r >= n) ?? n;
}

// nameOf names a period by its first day. Calendar days have no zone.
export function nameOf(unit: Unit, from: string, language: string, long: boolean): string {
  const date = new Date(`${from}T00:00:00Z`);
  const format = (o: Intl.DateTimeFormatOptions) => new Intl.DateTimeFormat(regional(language), { ...o, timeZone: 'UTC' });
  switch (unit) {
    case 'year':
      return format({ year: 'numeric' }).format(date);
    case 'month':
      return format({ month: long ? 'long' : 'short', year: 'numeric' }).format(date);
    case 'week':
      return long ? format({ day: 'numeric', month: 'long', year: 'numeric' }).formatRange(date, new Date(date.getTime() + 6 * 86_400_000)) : format({ day: 'numeric', month: 'short' }).format(date);
    default:
      return format(long ? { dateStyle: 'full' } : { day: 'numeric', month: 'short' }).format(date);
  }
}
