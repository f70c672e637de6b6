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
