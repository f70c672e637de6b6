import type { HistoryFolder, HistoryReport, ServerCount } from '../api';

// sumOfFolders adds up the figures of a report.
export function sumOfFolders(folders: readonly HistoryFolder[]): HistoryFolder {
  const sum: HistoryFolder = {
    name: '', on_server: 0, bytes: 0, listed: 0, known: 0, offered: 0, stored: 0, duplicate: 0, left: 0, gone: 0, arrived: 0,
    due: 0, intact: 0, removed: 0, remaining: 0, reasons: [], done: folders.every((f) => f.done),
  };
  for (const f of folders) {
    (['on_server', 'bytes', 'listed', 'known', 'offered', 'stored', 'duplicate', 'left', 'gone', 'arrived', 'due', 'intact', 'removed', 'remaining'] as const)
      .forEach((k) => (sum[k] += f[k]));
  }
  return sum;
}

// shareOf tells how far a report is, from 0 to 100, by messages.
export function shareOf(report: HistoryReport): number {
  const sum = sumOfFolders(report.folders);
  const done = report.dry_run ? sum.listed : sum.known + sum.offered + sum.left;
  const all = Math.max(sum.on_server, done, 1);
  return Math.min(100, Math.round((100 * done) / all));
}

// confirmable reports whether a removal can follow the dry run.
export function confirmable(report: HistoryReport): boolean {
  return report.dry_run && report.complete && report.disagreements.length === 0;
}

// isNumber compares what somebody typed with a number, whatever groups its digits.
export function isNumber(typed: string, number: number): boolean {
  return /^[\d.,'’\s\u00a0\u202f]+$/u.test(typed) && typed.replace(/\D/gu, '') === String(number);
}

export const flagWords = { '\\seen': 'seen', '\\answered': 'answered', '\\flagged': 'flagged', '\\draft': 'draft', '\\deleted': 'deleted', $forwarded: 'forwarded' } as const;

// wordOfFlag returns the word for a flag that has one (RFC 9051 §2.3.2).
export function wordOfFlag(flag: string): (typeof flagWords)[keyof typeof flagWords] | undefined {
  const key = Object.keys(flagWords).find((k) => k === flag.toLowerCase());
  return key === undefined ? undefined : flagWords[key as keyof typeof flagWords];
}

// countedBy adds up what servers counted, by the keys of the rows of an account.
export function countedBy(counts: readonly ServerCount[], by: 'day' | 'source'): Map<string, number> {
  const out = new Map<string, number>();
  for (const c of counts) {
    const key = `${by === 'day' ? c.day : ''} ${c.source}`;
    out.set(key, (out.get(key) ?? 0) + c.came);
  }
  return out;
}

const reasonWords = {
  'more messages are old enough than it was asked to remove': 'atMost',
  'the server lets nothing be changed in this folder': 'readOnly',
  'the server cannot expunge single messages (no UIDPLUS); others might lose messages they have only marked': 'noUIDPLUS',
  'not removed: the server still has it': 'stillThere',
  'not asked for': 'notAsked',
  'it only shows messages of other folders': 'shows',
  'below drafts, spam or trash': 'below',
  'its name is not properly encoded; it cannot be opened': 'badName',
  'left out by the settings of the mailbox': 'without',
  'there is no such folder': 'noFolder',
} as const;
const reasonStarts = { 'the folder cannot be opened: ': 'closed', 'not removed: ': 'notIntact' } as const;

export type HistoryWord = (typeof reasonWords)[keyof typeof reasonWords] | (typeof reasonStarts)[keyof typeof reasonStarts];

// wordOfReason recognises why a history has left something as it is; what it does not know
// is of a message that stays on the server, or is shown as it is.
export function wordOfReason(why: string): { key: HistoryWord; said: string } | undefined {
  const fixed = Object.entries(reasonWords).find(([text]) => text === why);
  if (fixed) {
    return { key: fixed[1], said: '' };
  }
  const start = Object.entries(reasonStarts).find(([text]) => why.startsWith(text));
  return start && { key: start[1], said: why.slice(start[0].length) };
}
