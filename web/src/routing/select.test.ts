import { expect, test } from 'vitest';

import { addressesIn, choicesOf, matching } from './select';

test('choices are what is selected and what is known, each once', () => {
  const known = [{ address: 'b@firma.example', name: 'Bernd', user: true }, { address: 'c@firma.example', name: '', user: false }];
  const all = choicesOf(['a@firma.example', 'c@firma.example'], known);
  expect(all.map((c) => c.address)).toEqual(['a@firma.example', 'b@firma.example', 'c@firma.example']);
  expect(matching(all, 'BERND firma')).toEqual([known[0]]);
  expect(matching(all, '')).toHaveLength(3);
  expect(matching(all, 'bernd other')).toHaveLength(0);
});

test('5,000 addresses are filtered within a frame', () => {
  const many = choicesOf(Array.from({ length: 5000 }, (_, i) => `person${i}@firma.example`), []);
  const start = performance.now();
  for (let i = 0; i < 20; i++) matching(many, `person4${i}`);
  expect((performance.now() - start) / 20).toBeLessThan(50);
});

test('addresses are found in what is pasted', () => {
  expect(addressesIn('Anna <Anna@firma.example>; b@firma.example, x, b@firma.example a@b')).toEqual(['anna@firma.example', 'b@firma.example']);
});
