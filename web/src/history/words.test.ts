import { describe, expect, it } from 'vitest';

import type { HistoryReport } from '../api';
import { confirmable, countedBy, isNumber, shareOf, sumOfFolders, wordOfFlag, wordOfReason } from './words';

const report = (part: Partial<HistoryReport>): HistoryReport => ({
  dry_run: true, remove_older_than_days: 30, asked: { folders: [], drafts: false, spam: false, trash: false }, started_at: '2026-01-01T00:00:00Z',
  folders: [], left_out: [], complete: true, disagreements: [], ...part,
});
const folder = { ...sumOfFolders([]), name: 'INBOX', on_server: 10, listed: 5, known: 1, offered: 2, left: 1, due: 3 };

describe('history', () => {
  it('adds up folders and tells how far they are', () => {
    expect(sumOfFolders([folder, folder])).toMatchObject({ on_server: 20, due: 6 });
    expect(shareOf(report({ folders: [folder] }))).toBe(50);
    expect(shareOf(report({ folders: [folder], dry_run: false }))).toBe(40);
    expect(shareOf(report({}))).toBe(0);
  });
  it('lets nothing be removed after a disagreement or without a dry run', () => {
    expect(confirmable(report({}))).toBe(true);
    expect(confirmable(report({ complete: false }))).toBe(false);
    expect(confirmable(report({ dry_run: false }))).toBe(false);
    expect(confirmable(report({ disagreements: [{ folder: 'INBOX', text: 'x' }] }))).toBe(false);
  });
  it('takes a number as people write it, and no other', () => {
    for (const typed of ['1234', '1.234', '1,234', '1 234', "1'234"]) {
      expect(isNumber(typed, 1234)).toBe(true);
    }
    for (const typed of ['', '123', '12345', '-1234', '1234x']) {
      expect(isNumber(typed, 1234)).toBe(false);
    }
  });
  it('has words for flags', () => {
    expect(wordOfFlag('\\SEEN')).toBe('seen');
    expect(wordOfFlag('$Label1')).toBeUndefined();
  });
  it('adds up what servers counted', () => {
    const count = { day: '2026-01-02', source: 'a', name: 'A', kind: 'mailbox', folder: 'INBOX', came: 3, held: 9 };
    expect(countedBy([count, { ...count, folder: 'x' }], 'day').get('2026-01-02 a')).toBe(6);
    expect(countedBy([count, { ...count, day: '2026-01-03' }], 'source').get(' a')).toBe(6);
  });
});

describe('why something is left', () => {
  it.each([
    ['there is no such folder', { key: 'noFolder', said: '' }],
    ['not removed: the server still has it', { key: 'stillThere', said: '' }],
    ['not removed: does not come back', { key: 'notIntact', said: 'does not come back' }],
    ['the folder cannot be opened: imap: no', { key: 'closed', said: 'imap: no' }],
    ['too large: 2 bytes, the limit is 1', undefined],
  ])('%s', (why, want) => expect(wordOfReason(why)).toEqual(want));
});
