import type { TFunction } from 'i18next';
import { expect, test } from 'vitest';

import { mistakesOf } from './fields';

test('mistakes name what they are about', () => {
  const problem = { type: '', title: '', status: 422, code: 'invalid' as const, request_id: 'x', errors: [
    { location: 'body.branding.accent', message: 'a' }, { location: 'body.users[3].addresses', message: 'b' }, { location: 'body.made_up', message: 'c' }, { location: 'body.domains[2].name', message: 'f' }, { location: 'body.admin.login', message: 'g' }, { location: 'body', message: 'd' }, { message: 'e' }, { location: 'body.reason', message: 'expected length >= 10' }, { location: 'body.addresses', message: 'expected array length >= 1' },
  ] };
  const say = ((key: string) => key) as unknown as TFunction;
  expect(mistakesOf(say, problem)).toEqual(['fields.accent: a', 'fields.addresses: b', 'made_up: c', 'fields.domains: f', 'fields.admin, fields.login: g', 'd', 'e', 'fields.reason: fields.atLeast', 'fields.addresses: fields.atLeastEntries']);
  expect(mistakesOf(say, undefined)).toEqual([]);
});
