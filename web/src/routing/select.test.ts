import { expect, test } from 'vitest';

import { addressesIn, choicesOf, hays, matching } from './select';

test('choices are what is selected and what is known, each once', () => {
  const known = [{ address: 'b@firma.example', name: 'Bernd', user: true }, { address: 'c@firma.example', name: '', user: false }];
  const all = choicesOf(['a@firma.example', 'c@firma.example'], known);
  expect(all.map((c) => c.address)).toEqual(['a@firma.example', 'b@firma.example', 'c@firma.example']);
  expect(matching(all, hays(all), 'BERND firma')).toEqual([known[0]]);
  expect(matching(all, hays(all), '')).toHaveLength(3);
  expect(matching(all, hays(all), 'bernd other')).toHaveLength(0);
});

test('names are found however they are written', () => {
  const known = [{ address: 'mueller@firma.example', name: 'Jörg Groß', user: true }, { address: 'b@firma.example', name: 'Bernd', user: true }];
  const all = choicesOf([], known);
  const hay = hays(all);
  for (const text of ['jorg', 'JOERG', 'Jörg gross', 'groß jorg', 'mueller']) {
    expect(matching(all, hay, text)).toEqual([known[0]]);
  }
  expect(matching(all, hay, ' ')).toBe(all); // nothing is made anew for nothing
});

test('addresses are found in what is pasted', () => {
  expect(addressesIn('Anna <Anna@firma.example>; b@firma.example, x, b@firma.example a@b')).toEqual(['anna@firma.example', 'b@firma.example']);
});
