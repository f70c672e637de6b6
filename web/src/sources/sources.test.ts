import { describe, expect, it } from 'vitest';

import type { MailboxFinding, Source } from '../api';
import { draftOf, fieldsOf, foundIn, mailboxOf, nameOfStep, readStep, secretOf, wayOf } from './draft';
import { healthOf, isCounted, refreshEvery } from './health';
import { countIn, folderIn, reasonOf } from './reason';

const source = (more: Partial<Source> = {}): Source => ({
  id: 'x', kind: 'mailbox', name: 'Info', category: '', disabled: false, created_at: '2026-01-01T00:00:00Z', has_password: true, hint_peers: [], ...more,
});
const state = (more: Partial<NonNullable<Source['state']>> = {}): NonNullable<Source['state']> => ({
  fetching: false, stored: 0, known: 0, waiting: 0, on_server: 0, left: 0, ...more,
});

describe('the health of a source', () => {
  const problem = { code: 'auth', text: '', detail: '' } as const;
  it.each<[string, Source, string]>([
    ['a journal', source({ kind: 'journal' }), 'ready'],
    ['a journal that is off', source({ kind: 'journal', disabled: true }), 'disabled'],
    ['an import', source({ kind: 'import' }), 'done'],
    ['a new mailbox', source(), 'never'],
    ['a first fetch', source({ state: state({ fetching: true }) }), 'working'],
    ['a good fetch', source({ state: state({ last_at: '2026-01-01T00:00:00Z' }) }), 'ok'],
    ['a failed fetch', source({ state: state({ last_at: '2026-01-01T00:00:00Z', problem }) }), 'problem'],
    ['another attempt', source({ state: state({ fetching: true, problem }) }), 'problem'],
    ['a mailbox that is off', source({ disabled: true, state: state({ problem }) }), 'disabled'],
  ])('%s', (_, s, want) => expect(healthOf(s)).toBe(want));

  it('knows no numbers before the first log-in', () => {
    expect(isCounted(undefined)).toBe(false);
    expect(isCounted(state({ last_at: '2026-01-01T00:00:00Z', problem }))).toBe(false);
    expect(isCounted(state({ last_at: '2026-01-02T00:00:00Z', problem, on_server: 3 }))).toBe(true);
    expect(isCounted(state({ last_ok_at: '2026-01-01T00:00:00Z', problem }))).toBe(true);
  });

  it('is asked for often while something happens', () => {
    expect(refreshEvery([source()], 0, 100_000)).toBe(15_000);
    expect(refreshEvery([source({ state: state({ fetching: true }) })], 0, 100_000)).toBe(2_000);
    expect(refreshEvery([source()], 95_000, 100_000)).toBe(2_000);
    const made = Date.parse('2026-01-01T00:00:00Z');
    expect(refreshEvery([source()], 0, made + 30_000)).toBe(2_000);
    expect(refreshEvery([source({ disabled: true })], 0, made + 30_000)).toBe(15_000);
    expect(refreshEvery([source()], 0, made + 90_000)).toBe(15_000);
  });
});

describe('the form of a mailbox', () => {
  it('keeps every setting', () => {
    const mailbox: NonNullable<Source['mailbox']> = {
      protocol: 'imap', host: 'mail.example.com', port: 1993, tls: 'starttls', user: 'info', ca: 'PEM', pin: 'ab'.repeat(32), oauth: 'google', interval_seconds: 300,
      keep: true, max_bytes: 150 << 20, folders: 'all', drafts: true, spam: true, trash: true, journal_reports: false,
    };
    expect(mailboxOf(draftOf(source({ mailbox })))).toEqual(mailbox);
  });
  it('keeps how an application or somebody logs in', () => {
    const mailbox: NonNullable<Source['mailbox']> = {
      protocol: 'auto', host: 'outlook.office365.com', tls: 'auto', user: 'info', oauth: 'microsoft', method: 'client', directory: 'contoso.com', client_id: 'x',
      authority: 'https://login.microsoftonline.us', interval_seconds: 60, folders: 'inbox',
    };
    const draft = draftOf(source({ mailbox }));
    expect(mailboxOf(draft)).toEqual(mailbox);
    expect(wayOf(draft)).toBe('microsoft-client');
    expect(secretOf({ ...draft, password: 'p', logIn: 'l' })).toEqual({ password: 'p' });
    expect(secretOf({ ...draft, method: 'device', password: 'p', logIn: 'l' })).toEqual({ log_in: 'l' });
    expect(secretOf({ ...draft, method: 'device', password: 'p' })).toEqual({});
    expect(mailboxOf({ ...draft, oauth: 'password', method: '' })).not.toHaveProperty('directory');
  });
  it('starts with what is usual and says so', () => {
    expect(mailboxOf({ ...draftOf(), host: ' mail.example.com ', user: 'info ' })).toEqual({
      protocol: 'auto', host: 'mail.example.com', tls: 'auto', user: 'info', interval_seconds: 60, folders: 'inbox',
    });
  });
  it('drops what has no effect', () => {
    const d = { ...draftOf(), folders: 'inbox' as const, named: ['A'], trash: true, limit: 5 };
    expect(mailboxOf(d)).not.toHaveProperty('named');
    expect(mailboxOf(d)).not.toHaveProperty('trash');
    expect(mailboxOf({ ...d, without: ['Private'] })).not.toHaveProperty('without');
    expect(mailboxOf({ ...d, folders: 'all', without: ['Private'] })).toMatchObject({ without: ['Private'] });
    expect(mailboxOf(d)).not.toHaveProperty('max_bytes');
    expect(mailboxOf({ ...d, protocol: 'pop3', folders: 'list' })).toMatchObject({ folders: 'inbox' });
  });
  it('never turns a limit that was not given into none', () => {
    expect(mailboxOf({ ...draftOf(), limited: true, limit: '' }).max_bytes).toBe(1);
    expect(mailboxOf({ ...draftOf(), limited: true, limit: 0 }).max_bytes).toBe(1);
  });
  it('takes a fingerprint as other programs show it', () => {
    expect(mailboxOf({ ...draftOf(), pin: 'AB:CD ef' }).pin).toBe('abcdef');
  });
  it('finds the field that a problem names', () => {
    expect(fieldsOf(['name', 'mailbox.host', 'mailbox.named[3]', 'mailbox'])).toEqual(['name', 'host', 'named', undefined]);
  });
  it('takes over what a test has found, once', () => {
    const finding: MailboxFinding = { ok: true, messages: 0, folders: [], steps: [], found: { protocol: 'imap', port: 993, tls: 'implicit' } };
    const found = foundIn(finding, draftOf());
    expect(found).toEqual({ protocol: 'imap', port: 993, tls: 'implicit' });
    expect(foundIn(finding, { ...draftOf(), ...found })).toBeUndefined();
    expect(foundIn({ ...finding, found: { protocol: 'nntp', port: 1, tls: 'x' } }, draftOf())).toBeUndefined();
  });
  it('reads the steps of a test', () => {
    expect(readStep('imap 993 implicit')).toEqual({ protocol: 'imap', port: 993, tls: 'implicit' });
    expect(readStep('log in')).toBeUndefined();
    expect(nameOfStep('log in')).toBe('login');
    expect(nameOfStep('toString')).toBeUndefined();
  });
});

describe('why a message stays', () => {
  it.each([
    ['too large: 1572893 bytes, the limit is 1048576', { key: 'tooLarge', size: 1572893, limit: 1048576 }],
    ['archived; not deleted on the server so far', { key: 'notDeleted' }],
    ['archived; kept on the server', { key: 'kept' }],
    ['archived; not deleted, as the server breaks the rules for dots', { key: 'dots' }],
    ['message 7 cannot be fetched: imap: fetch message 7: server refuses', { key: 'unreadable', said: 'imap: fetch message 7: server refuses' }],
    ['message 3 (a b) cannot be fetched: pop3: no', { key: 'unreadable', said: 'pop3: no' }],
    ['none of its addresses is selected for the archive', { key: 'excluded' }],
    ['something else', undefined],
  ])('%s', (detail, want) => expect(reasonOf(detail)).toEqual(want));
  it('reads counts', () => {
    expect(countIn('12 folders')).toBe(12);
    expect(countIn('1 messages in 3 folders that would be fetched')).toBe(1);
    expect(countIn('accepted')).toBeUndefined();
  });
});

it.each([
  ['imap://info@firma.example@mail.example/INBOX;UIDVALIDITY=17', 'INBOX'],
  ['imap://info@mail.example/Kunden/M%C3%BCller%20&%20Co;UIDVALIDITY=17', 'Kunden/Müller & Co'],
  ['imap://info@mail.example/100%', '100%'],
  ['pop3://info@mail.example/', ''],
  ['something else', 'something else'],
])('reads the folder in %s', (address, want) => expect(folderIn(address)).toBe(want));
