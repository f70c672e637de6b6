import type { Mark } from '../api';

// Positions that the server tells count Unicode characters, JavaScript's strings
// count UTF-16 units: everything here converts between the two.

export function characters(text: string): number {
  return Array.from(text).length;
}

// unitOffset converts a position in characters into one in UTF-16 units.
export function unitOffset(text: string, position: number): number {
  let units = 0;
  let n = 0;
  for (const c of text) {
    if (n >= position) {
      break;
    }
    n++;
    units += c.length;
  }
  return units;
}

export function replaceRange(text: string, start: number, end: number, insert: string): string {
  return text.slice(0, unitOffset(text, start)) + insert + text.slice(unitOffset(text, end));
}

const negation = /(^|[\s(])(?:-|NOT\s+|NICHT\s+)$/u;
const connective = /^(?:AND|OR|UND|ODER)$/u;

// removeRange takes an operator out of a query together with its negation and the
// connective, parentheses and spaces that would be left over.
export function removeRange(text: string, start: number, end: number): string {
  const before = text.slice(0, unitOffset(text, start)).replace(negation, '$1');
  const after = text.slice(unitOffset(text, end));
  let rest = `${before} ${after}`.replace(/\(\s*\)/gu, ' ').replace(/\(\s+/gu, '(').replace(/\s+\)/gu, ')');
  rest = rest.trim().replace(/\s+/gu, ' ');
  return dropConnectives(rest);
}

// dropConnectives takes away connectives that connect nothing: at the ends, or the
// second of two in a row. Quoted text stays as it is.
function dropConnectives(text: string): string {
  const words = text.match(/"[^"]*"?|[^\s"]+(?:"[^"]*"?)?|\s+/gu)?.filter((w) => w.trim()) ?? [];
  const kept: string[] = [];
  for (const word of words) {
    const last = kept[kept.length - 1];
    if (connective.test(word) && (last === undefined || connective.test(last))) {
      continue;
    }
    kept.push(word);
  }
  while (kept.length > 0 && connective.test(kept[kept.length - 1] ?? '')) {
    kept.pop();
  }
  return kept.join(' ');
}

function withoutQuotes(text: string): string {
  return text.replace(/"[^"]*"?/gu, ' ');
}

// addTerm narrows a query by one more term. A query with OR is put in parentheses
// first, because AND binds tighter.
export function addTerm(text: string, term: string): string {
  const base = text.trim();
  if (!base) {
    return term;
  }
  if (hasTerm(base, term)) {
    return base;
  }
  return /\b(?:OR|ODER)\b/u.test(withoutQuotes(base)) && !wrapped(base) ? `(${base}) ${term}` : `${base} ${term}`;
}

// wrapped says whether every OR already stands inside parentheses.
function wrapped(text: string): boolean {
  let depth = 0;
  for (const word of withoutQuotes(text).split(/(\(|\)|\s+)/u)) {
    if (word === '(') {
      depth++;
    } else if (word === ')') {
      depth--;
    } else if (depth === 0 && /^(?:OR|ODER)$/u.test(word)) {
      return false;
    }
  }
  return true;
}

function termAt(text: string, term: string): number {
  let from = 0;
  for (;;) {
    const at = text.indexOf(term, from);
    if (at < 0) {
      return -1;
    }
    const before = text[at - 1];
    const after = text[at + term.length];
    if ((before === undefined || /[\s(]/u.test(before)) && (after === undefined || /[\s)]/u.test(after))) {
      return at;
    }
    from = at + 1;
  }
}

export function hasTerm(text: string, term: string): boolean {
  return termAt(text, term) >= 0;
}

export function removeTerm(text: string, term: string): string {
  const at = termAt(text, term);
  if (at < 0) {
    return text;
  }
  const start = characters(text.slice(0, at));
  return removeRange(text, start, start + characters(term));
}

// fromMark shortens a text in front of its first mark, at a word, so that the mark
// is seen in one short line.
export function fromMark(text: string, marks: readonly Mark[], lead = 16): { text: string; marks: Mark[] } {
  const first = Math.min(...marks.map((m) => m.start));
  if (!Number.isFinite(first) || first <= 2 * lead) {
    return { text, marks: [...marks] };
  }
  const all = Array.from(text);
  let cut = first - lead;
  while (cut < first && all[cut - 1] !== ' ') {
    cut++;
  }
  const by = cut - 1; // the ellipsis takes a place of its own
  return { text: `…${all.slice(cut).join('')}`, marks: marks.map((m) => ({ start: m.start - by, end: m.end - by })) };
}

export type Piece = { text: string; marked: boolean };

// pieces cuts a text at its marks. Marks that overlap, lie outside or are empty do
// no harm.
export function pieces(text: string, marks: readonly Mark[]): Piece[] {
  if (marks.length === 0) {
    return text ? [{ text, marked: false }] : [];
  }
  const sorted = [...marks].filter((m) => m.end > m.start).sort((a, b) => a.start - b.start);
  const out: Piece[] = [];
  let units = 0; // walked so far, in UTF-16 units
  let chars = 0; // the same in characters
  const walk = (to: number): string => {
    const from = units;
    while (chars < to && units < text.length) {
      units += (text.codePointAt(units) ?? 0) > 0xffff ? 2 : 1;
      chars++;
    }
    return text.slice(from, units);
  };
  for (const mark of sorted) {
    push(out, walk(mark.start), false);
    push(out, walk(mark.end), true);
  }
  push(out, text.slice(units), false);
  return out;
}

function push(out: Piece[], text: string, marked: boolean): void {
  if (text) {
    out.push({ text, marked });
  }
}
