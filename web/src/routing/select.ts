import type { ProposedAddress } from '../api';
import { searchable, wordsOf } from '../fold';

export type Choice = { address: string; name: string; user: boolean };

// choicesOf joins the addresses that are selected with those that are known, by
// address.
export function choicesOf(selected: readonly string[], proposed: readonly ProposedAddress[]): Choice[] {
  const all = new Map<string, Choice>(proposed.map((p) => [p.address, { ...p }]));
  for (const address of selected) {
    if (!all.has(address)) {
      all.set(address, { address, name: '', user: false });
    }
  }
  return [...all.values()].sort((a, b) => (a.address < b.address ? -1 : 1));
}

// hays are what choices are found by, made once for all that is typed.
export const hays = (choices: readonly Choice[]): string[] => choices.map((c) => searchable([c.address, c.name]));

// matching keeps the choices in whose address or name every word occurs, however it is
// written: Müller, Muller, Mueller.
export function matching(choices: readonly Choice[], hay: readonly string[], text: string): readonly Choice[] {
  const words = wordsOf(text);
  return words.length === 0 ? choices : choices.filter((_, i) => words.every((w) => hay[i]?.includes(w)));
}

// addressesIn finds the addresses in what somebody has typed or pasted.
export function addressesIn(text: string): string[] {
  return [...new Set(text.toLowerCase().split(/[\s,;<>"]+/u).filter((w) => /^[^@]+@[^@]+\.[^@.]+$/u.test(w)))];
}
