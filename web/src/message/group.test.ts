import { expect, it } from 'vitest';

import type { Party } from '../api';
import { group } from './group';

const party = (role: Party['role'], address: string): Party => ({ role, name: '', address });

it('shows the envelope only where it tells more than the header fields', () => {
  const parties = [
    party('from', 'a@x.example'), party('sender', 'A@x.example'), party('reply-to', 'r@x.example'),
    party('to', 'b@x.example'), party('envelope-from', 'a@x.example'), party('envelope-to', 'B@x.example'), party('envelope-to', 'c@x.example'),
  ];
  expect(group(parties).map((g) => [g.role, g.people.map((p) => p.address)])).toEqual([
    ['from', ['a@x.example']],
    ['reply-to', ['r@x.example']],
    ['to', ['b@x.example']],
    ['envelope-to', ['c@x.example']],
  ]);
});

it('shows what a journal report says only where it tells more than the header fields', () => {
  const parties: Party[] = [
    party('from', 'a@x.example'), party('to', 'b@x.example'), party('to', 'team@x.example'), party('cc', 'c@x.example'),
    party('journal-sender', 'a@x.example'), party('journal-sender', 'assistant@x.example'), party('journal-to', 'B@x.example'), party('journal-bcc', 'c@x.example'),
    { ...party('journal-to', 'd@x.example'), via: 'team@x.example' }, { ...party('journal-to', 'b@x.example'), via: 'team@x.example' },
    party('journal-recipient', 'b@x.example'), party('journal-mailbox', 'e@x.example'),
  ];
  expect(group(parties).map((g) => [g.role, g.people.map((p) => p.address)])).toEqual([
    ['from', ['a@x.example']],
    ['journal-sender', ['assistant@x.example']],
    ['to', ['b@x.example', 'team@x.example']],
    ['cc', ['c@x.example']],
    ['journal-to', ['d@x.example', 'b@x.example']],
    ['journal-bcc', ['c@x.example']],
    ['journal-mailbox', ['e@x.example']],
  ]);
});
