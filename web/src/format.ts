// Formats values for people. Everything takes the language; times also take the
// customer's zone, because the same mail has to show the same time to everybody.

// regional returns the variant of a language that the browser prefers: people in
// London and New York read English, but not each other's dates.
export function regional(language: string, wanted: readonly string[] = typeof navigator === 'undefined' ? [] : navigator.languages): string {
  const own = wanted.find((tag) => tag.toLowerCase().startsWith(`${language}-`));
  return own ?? (language === 'en' ? 'en-GB' : language);
}

export function formatNumber(n: number, language: string): string {
  return new Intl.NumberFormat(regional(language)).format(n);
}

// plain takes away the invisible characters that turn the direction of text: with
// them a sender can make a file or an address look like another.
export function plain(text: string): string {
  return text.replace(/[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu, '');
}

const units = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'];

// formatSize shows bytes in decimal units with at most one digit after the point.
export function formatSize(bytes: number, language: string): string {
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  const digits = unit === 0 || value >= 100 ? 0 : 1;
  return `${new Intl.NumberFormat(regional(language), { maximumFractionDigits: digits }).format(value)} ${units[unit] ?? ''}`;
}

// validZone returns the zone if the browser knows it and undefined, meaning the
// browser's own, otherwise.
export function validZone(zone: string | undefined): string | undefined {
  if (!zone) {
    return undefined;
  }
  try {
    new Intl.DateTimeFormat('en', { timeZone: zone });
    return zone;
  } catch {
    return undefined;
  }
}

export function formatDateTime(iso: string, language: string, zone?: string): string {
  return new Intl.DateTimeFormat(regional(language), {
    day: '2-digit', month: '2-digit', year: 'numeric', hour: '2-digit', minute: '2-digit', timeZone: validZone(zone),
  }).format(new Date(iso));
}

// formatLongDateTime names weekday, month and zone; for tooltips and evidence.
export function formatLongDateTime(iso: string, language: string, zone?: string): string {
  return new Intl.DateTimeFormat(regional(language), {
    weekday: 'long', day: 'numeric', month: 'long', year: 'numeric',
    hour: '2-digit', minute: '2-digit', second: '2-digit', timeZoneName: 'short', timeZone: validZone(zone),
  }).format(new Date(iso));
}

// formatDay is for days without a time, such as 2026-11-26, which are the same in every
// zone.
export function formatDay(day: string, language: string): string {
  return new Intl.DateTimeFormat(regional(language), { day: '2-digit', month: '2-digit', year: 'numeric', timeZone: 'UTC' }).format(new Date(`${day}T00:00:00Z`));
}

// formatLastDay is the last day before an instant at which something is over.
export function formatLastDay(end: string, language: string, zone?: string): string {
  return formatDay(dayOf(new Date(new Date(end).getTime() - 1), validZone(zone)), language);
}

function dayOf(date: Date, zone: string | undefined): string {
  return new Intl.DateTimeFormat('en-CA', { timeZone: zone, year: 'numeric', month: '2-digit', day: '2-digit' }).format(date);
}

// formatShort is for lists: the time today, day and month this year, else the date.
export function formatShort(iso: string, language: string, zone?: string, now: Date = new Date()): string {
  const date = new Date(iso);
  const timeZone = validZone(zone);
  const day = dayOf(date, timeZone);
  const today = dayOf(now, timeZone);
  if (day === today) {
    return new Intl.DateTimeFormat(regional(language), { hour: '2-digit', minute: '2-digit', timeZone }).format(date);
  }
  if (day.slice(0, 4) === today.slice(0, 4)) {
    return new Intl.DateTimeFormat(regional(language), { day: 'numeric', month: 'short', timeZone }).format(date);
  }
  return new Intl.DateTimeFormat(regional(language), { day: '2-digit', month: '2-digit', year: 'numeric', timeZone }).format(date);
}

const steps: [Intl.RelativeTimeFormatUnit, number][] = [
  ['year', 31_557_600], ['month', 2_629_800], ['week', 604_800], ['day', 86_400], ['hour', 3600], ['minute', 60], ['second', 1],
];

export function formatRelative(iso: string, language: string, now: Date = new Date()): string {
  const seconds = (new Date(iso).getTime() - now.getTime()) / 1000;
  const [unit, length] = steps.find(([, s]) => Math.abs(seconds) >= s) ?? ['second', 1];
  return new Intl.RelativeTimeFormat(regional(language), { numeric: 'auto' }).format(Math.round(seconds / length), unit);
}

// formatForField is a time as a field for date and time takes it, in the browser's zone.
export function formatForField(at: Date): string {
  return new Date(at.getTime() - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}
