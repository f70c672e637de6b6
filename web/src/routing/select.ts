import type { ProposedAddress } from '../api';

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

// matching keeps the choices in whose address or name every word occurs.
export function matching(choices: readonly Choice[], text: string): Choice[] {
  const words = text.toLowerCase().split(/\s+/u).filter(Boolean);
  return choices.filter((c) => {
    const hay = `${c.address} ${c.name}`.toLowerCase();
    return words.every((w) => hay.includes(w));
  });
}

// addressesIn finds the addresses in what somebody has typed or pasted.
export function addressesIn(text: string): string[] {
  return [...new Set(text.toLowerCase().split(/[\s,;<>"]+/u).filter((w) => /^[^@]+@[^@]+\.[^@.]+$/u.test(w)))];
}
