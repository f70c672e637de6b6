// Letters that are no others with a mark, and how people write them without.
const letters: Record<string, string> = { ß: 'ss', æ: 'ae', œ: 'oe', ø: 'o', ł: 'l', đ: 'd', ð: 'd', þ: 'th', ı: 'i' };
const german: Record<string, string> = { ä: 'ae', ö: 'oe', ü: 'ue', ø: 'oe', å: 'aa' };

const replaced = (text: string, by: Record<string, string>) => text.replace(/[^\x00-\x7f]/gu, (c) => by[c] ?? c);

// folded writes text in small letters without marks, as people type names.
export function folded(text: string): string {
  return replaced(replaced(text.toLowerCase().normalize('NFC'), letters).normalize('NFD').replace(/\p{M}/gu, ''), letters);
}

// searchable is what a word has to occur in to find text: with letters as in Müller,
// Muller and Mueller.
export function searchable(parts: readonly string[]): string {
  const text = parts.join('\n');
  if (/^[\x00-\x7f]*$/u.test(text)) {
    return text.toLowerCase();
  }
  return `${folded(text)}\n${folded(replaced(text.toLowerCase().normalize('NFC'), german))}`;
}

// wordsOf are the words of what somebody types to find something.
export const wordsOf = (text: string): string[] => folded(text).split(/\s+/u).filter(Boolean);
