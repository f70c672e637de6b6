import type { TFunction } from 'i18next';

import { Failure } from '../failure';

// codes are what the server may find wrong with a user or a list, and can be said in
// the reader's language. Whatever else there is comes with an English text.
export const codes = [
  'login-form', 'login-taken', 'name-form', 'name-invisible', 'role', 'language', 'expiry', 'last-admin', 'address-form', 'address-domain', 'address-taken', 'address-many',
  'password-directory', 'password-too-short', 'password-too-long', 'password-encoding', 'password-common', 'password-personal', 'password-guessable', 'password-breached',
  'import-running', 'file-size', 'file-empty', 'rows', 'encoding', 'utf16', 'line-ends', 'delimiter', 'header', 'quote-open', 'quote-after', 'quote-inside', 'control', 'letter-lost',
  'fields', 'fields-many', 'field-long', 'id-empty', 'id-twice', 'hash', 'hash-kind', 'no-address', 'no-password', 'no-domains', 'shared-with', 'address-removed',
] as const;

export function textOf(t: TFunction, code: string | undefined, args: Record<string, string> | undefined, fallback: string): string {
  const known = codes.find((c) => c === code);
  // What stands in args depends on the code, which types cannot follow.
  const say = t as (key: string, args: Record<string, string>) => string;
  return known ? say(`users.wrong.${known}`, args ?? {}) : fallback;
}

// wrongOf says what the server finds wrong, by the member of the request.
export function wrongOf(t: TFunction, error: unknown): Record<string, string> {
  const out: Record<string, string> = {};
  if (error instanceof Failure && error.code === 'invalid') {
    for (const e of error.problem?.errors ?? []) {
      const field = (e.location ?? '').replace(/^body\.?/u, '').replace(/\[\d+\]$/u, '');
      const text = textOf(t, e.code, e.args, e.message);
      out[field] = out[field] ? `${out[field]} ${text}` : text;
    }
  }
  return out;
}

// codeOf is the code of the first mistake.
export const codeOf = (error: unknown): string | undefined => (error instanceof Failure ? error.problem?.errors?.[0]?.code : undefined);

// hasTaken reports whether an address belongs to another user, which may be meant.
export const hasTaken = (error: unknown): boolean => error instanceof Failure && (error.problem?.errors ?? []).some((e) => e.code === 'address-taken');
