import type { TFunction } from 'i18next';

import type { Problem } from './api';

// members are those of requests that people know by another name.
const members = [
  'name', 'login', 'password', 'language', 'address', 'addresses', 'slug', 'zone', 'reseller', 'limits', 'mailboxes', 'storage', 'customers', 'shared', 'domains', 'alias_of', 'journal',
  'journal_domain', 'state', 'url', 'kinds', 'description', 'host', 'accent', 'support', 'reply_to', 'logo', 'scopes', 'expires_at', 'expires_on', 'disabled', 'reason', 'years', 'messages',
  'admin', 'from', 'to', 'until', 'note', 'query', 'covert', 'approve',
] as const;

// lengthOf says in plain words how long something has to be; in German the server does.
function lengthOf(t: TFunction, message: string): string {
  const [, list, least] = /^expected (array )?length >= (\d+)$/u.exec(message) ?? [];
  return least ? t(list ? 'fields.atLeastEntries' : 'fields.atLeast', { count: Number(least) }) : message;
}

// mistakesOf says what the server finds wrong with a request, each with the name of what it
// is about. The server says it in the reader's language.
export function mistakesOf(t: TFunction, problem: Problem | undefined): string[] {
  return (problem?.errors ?? []).map(({ location, message }) => {
    const path = (location ?? '').replace(/^body\.?/u, '').replace(/\[\d+\]/gu, '');
    const parts = path.startsWith('domains.') ? ['domains'] : path.split('.');
    const known = parts.flatMap((part) => members.find((m) => m === part) ?? []);
    const name = known.map((m) => t(`fields.${m}`)).join(', ') || path;
    return name ? `${name}: ${lengthOf(t, message)}` : message;
  });
}
