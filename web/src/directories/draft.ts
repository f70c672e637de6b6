import type { Directory, DirectoryDraft, DirectoryImap, DirectoryLdap, DirectoryOidc, DirectoryRole, DirectorySettings } from '../api';

export const kinds = ['ldap', 'oidc', 'imap'] as const;
export type Kind = (typeof kinds)[number];

// Draft is a directory as the form has it: the settings of all kinds, of which one
// counts.
export type Draft = {
  kind: Kind;
  name: string;
  secret: string;
  position: number;
  disabled: boolean;
  ldap: DirectoryLdap;
  oidc: DirectoryOidc;
  imap: DirectoryImap;
  roles: DirectoryRole[];
};

export const callback = '/auth/oidc/callback';

// draftOf fills the form with what is stored, or with what is usual.
export function draftOf(kind: Kind, origin: string, d?: Directory): Draft {
  const s = d?.settings;
  return {
    kind, name: d?.name ?? '', secret: '', position: d?.position ?? 0, disabled: d?.disabled ?? false, roles: s?.roles ?? [],
    ldap: s?.ldap ?? { flavour: 'ad', host: '', tls: 'implicit', bind_dn: '', base_dn: '' },
    oidc: s?.oidc ?? { issuer: '', client_id: '', redirect: origin + callback },
    imap: s?.imap ?? { host: '', tls: 'implicit' },
  };
}

// tidy leaves out what is empty, and spaces around the rest.
function tidy<T extends object>(settings: T): T {
  return Object.fromEntries(Object.entries(settings).flatMap(([key, value]: [string, unknown]) => {
    if (typeof value === 'string') {
      const text = value.trim();
      return text === '' && !needed.includes(key) ? [] : [[key, text]];
    }
    return value === false || value === 0 || value === undefined || (Array.isArray(value) && value.length === 0) ? [] : [[key, value]];
  })) as T;
}

// needed are sent even if they are empty: the server says then that they are needed.
const needed = ['host', 'bind_dn', 'base_dn', 'issuer', 'client_id', 'redirect'];

export const fingerprint = (text: string): string => text.replace(/[\s:]/gu, '').toLowerCase().slice(0, 64);

export function settingsOf(d: Draft): DirectorySettings {
  const roles = d.roles.filter((r) => r.group.trim() !== '').map((r) => ({ group: r.group.trim(), role: r.role }));
  const groups = roles.length > 0 ? { roles } : {};
  if (d.kind === 'ldap') {
    return { ldap: tidy({ ...d.ldap, pin: fingerprint(d.ldap.pin ?? '') }), ...groups };
  }
  return d.kind === 'oidc' ? { oidc: tidy(d.oidc), ...groups } : { imap: tidy({ ...d.imap, pin: fingerprint(d.imap.pin ?? '') }) };
}

export function bodyOf(d: Draft): DirectoryDraft {
  return { name: d.name.trim(), settings: settingsOf(d), position: d.position, disabled: d.disabled, ...(d.secret !== '' && { secret: d.secret }) };
}

// fieldOf turns a place in the request into the name of a field.
export const fieldOf = (place: string): string => place.replace(/^settings\./u, '').replace(/^(ldap|oidc|imap)\./u, '').replace(/\[.*$/u, '');
