import { describe, expect, it } from 'vitest';

import { formatDateTime, formatNumber, formatRelative, formatShort, formatSize, plain, regional, validZone, formatLastDay } from './format';

const spaced = (text: string) => text.replace(/[\u00a0\u202f]/gu, ' ');

describe('sizes', () => {
  it.each([
    [0, '0 B', '0 B'],
    [999, '999 B', '999 B'],
    [1234, '1,2 kB', '1.2 kB'],
    [999_999, '1 MB', '1 MB'],
    [84_213_000, '84,2 MB', '84.2 MB'],
    [612_345_678, '612 MB', '612 MB'],
    [3_000_000_000, '3 GB', '3 GB'],
  ])('%i', (bytes, de, en) => {
    expect(formatSize(bytes, 'de')).toBe(de);
    expect(formatSize(bytes, 'en')).toBe(en);
  });
});

describe('times', () => {
  const iso = '2026-11-23T23:30:00Z';
  it('are in the customer’s zone', () => {
    expect(spaced(formatDateTime(iso, 'de', 'Europe/Berlin'))).toBe('24.11.2026, 00:30');
    expect(spaced(formatDateTime(iso, 'de', 'UTC'))).toBe('23.11.2026, 23:30');
  });
  it('fall back to the browser’s zone when the customer’s is unknown', () => {
    expect(validZone('Nowhere/Else')).toBeUndefined();
    expect(() => formatDateTime(iso, 'de', 'Nowhere/Else')).not.toThrow();
  });
  it('are short in lists', () => {
    const now = new Date('2026-11-24T08:00:00Z');
    expect(formatShort(iso, 'de', 'Europe/Berlin', now)).toBe('00:30');
    expect(spaced(formatShort('2026-02-03T12:00:00Z', 'de', 'Europe/Berlin', now))).toBe('3. Feb.');
    expect(formatShort('2019-02-03T12:00:00Z', 'de', 'Europe/Berlin', now)).toBe('03.02.2019');
  });
  it('are told relative to now', () => {
    const now = new Date('2026-11-24T08:00:00Z');
    expect(formatRelative('2026-11-24T07:45:00Z', 'de', now)).toBe('vor 15 Minuten');
    expect(formatRelative('2026-11-23T08:00:00Z', 'en', now)).toBe('yesterday');
  });
});

describe('names', () => {
  it('cannot turn the direction of text', () => {
    expect(plain('invoice\u202efdp.exe')).toBe('invoicefdp.exe');
    expect(plain('\u2067Grüße\u2069 שלום')).toBe('Grüße שלום');
  });
});

describe('the region', () => {
  it('is the browser’s, if it speaks the language', () => {
    expect(regional('en', ['de-DE', 'en-US'])).toBe('en-US');
    expect(regional('en', ['de-DE'])).toBe('en-GB');
    expect(regional('de', ['en-US', 'de-AT'])).toBe('de-AT');
    expect(regional('de', ['de'])).toBe('de');
  });
});

describe('numbers', () => {
  it('are grouped as the language does', () => {
    expect(formatNumber(10000, 'de')).toBe('10.000');
    expect(formatNumber(10000, 'en')).toBe('10,000');
  });
});

it('names the last day before an end, in the zone of the customer', () => {
  expect(formatLastDay('2036-12-31T23:00:00Z', 'de', 'Europe/Berlin')).toBe('31.12.2036');
  expect(formatLastDay('2036-12-31T23:00:00Z', 'de', 'UTC')).toBe('31.12.2036');
  expect(formatLastDay('2036-07-01T00:00:00+02:00', 'de', 'Europe/Berlin')).toBe('30.06.2036');
});
