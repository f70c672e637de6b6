import { describe, expect, it } from 'vitest';

import { matches, thisMonth } from './queries';

describe('the list of customers', () => {
  it.each([
    ['', true], ['mus', true], ['GMBH mus', true], ['nord', true], ['sued', false], ['mus sued', false],
  ])('%s is found: %s', (typed, found) => {
    expect(matches(typed, 'Muster GmbH', 'muster', 'nord')).toBe(found);
  });
  it('counts months in UTC', () => {
    expect(thisMonth(new Date('2026-12-01T00:30:00+01:00'))).toBe('2026-11');
  });
});
