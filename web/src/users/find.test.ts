import { describe, expect, it } from 'vitest';

import type { User } from '../api';
import { base64, matching, stateOf } from './find';

const user = (login: string, more: Partial<User> = {}): User => ({
  id: login, login, name: login, first_name: '', last_name: '', role: 'user', language: '', addresses: [], disabled: false, expires_on: '', expired: false,
  has_password: true, created_at: '2026-01-01T00:00:00Z', ...more,
});

describe('matching', () => {
  const list = [user('anna', { last_name: 'Müller', addresses: ['info@firma.example'] }), user('bernd')];
  it.each([['', 2], ['MÜLLER', 1], ['anna firma', 1], ['anna bernd', 0], ['  ', 2]])('finds by %j', (text, count) => {
    expect(matching(list, text)).toHaveLength(count);
  });
});

describe('stateOf', () => {
  it('says disabled before expired', () => {
    expect([stateOf(user('a')), stateOf(user('a', { expired: true })), stateOf(user('a', { expired: true, disabled: true }))]).toEqual(['active', 'expired', 'disabled']);
  });
});

describe('base64', () => {
  it('writes any bytes', () => {
    const bytes = Uint8Array.from({ length: 100_000 }, (_, i) => i % 256);
    expect(Uint8Array.from(atob(base64(bytes)), (c) => c.charCodeAt(0))).toEqual(bytes);
  });
});
