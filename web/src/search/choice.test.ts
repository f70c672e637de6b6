import { expect, test } from 'vitest';

import { chosenAddress } from '../evidence/queries';
import { mostChosen, nothing, reach, toggled, toggledAll } from './choice';

const many = (n: number) => Array.from({ length: n }, (_, i) => `id${i}`);

test('one message is chosen and taken away again', () => {
  const one = toggled(nothing, 'a');
  expect([...one]).toEqual(['a']);
  expect([...toggled(one, 'a')]).toEqual([]);
  expect(nothing.size).toBe(0);
});

test('no more are chosen than a bundle takes', () => {
  const full = toggledAll(nothing, many(mostChosen + 50));
  expect([...full]).toEqual(many(mostChosen));
  expect(toggled(full, 'another').size).toBe(mostChosen);
  expect(toggled(full, 'id3').has('id3')).toBe(false);
  expect(reach(full, many(mostChosen + 50))).toBe('all');
});

test('all that is shown is chosen, and what was chosen elsewhere stays', () => {
  const elsewhere = toggled(nothing, 'elsewhere');
  expect(reach(elsewhere, many(3))).toBe('none');
  const some = toggled(elsewhere, 'id1');
  expect(reach(some, many(3))).toBe('some');
  const all = toggledAll(some, many(3));
  expect(reach(all, many(3))).toBe('all');
  expect([...all].sort()).toEqual(['elsewhere', 'id0', 'id1', 'id2']);
  expect([...toggledAll(all, many(3))]).toEqual(['elsewhere']);
  expect(reach(nothing, [])).toBe('none');
});

test('the address of a bundle names the messages, and the approved request', () => {
  expect(chosenAddress(['a', 'b'])).toBe('/api/v1/export.zip?ids=a%2Cb');
  expect(chosenAddress(['a'], 'r')).toBe('/api/v1/export.zip?ids=a&grant=r');
});
