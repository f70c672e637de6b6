import type { Mailbox, MailboxFinding, Source } from '../api';

// Draft is a mailbox as the form has it: what can be empty is text or ''.
export type Draft = {
  name: string;
  category: string;
  active: boolean;
  protocol: Mailbox['protocol'];
  host: string;
  port: number | '';
  tls: Mailbox['tls'];
  user: string;
  password: string;
  oauth: 'password' | 'microsoft' | 'google';
  method: '' | 'client' | 'device'; // where the token comes from; '': it is entered
  directory: string;
  clientId: string;
  authority: string;
  logIn: string; // id of a finished log-in by a code
  ca: string;
  pin: string;
  interval: number; // seconds
  keep: boolean;
  limited: boolean;
  limit: number | ''; // mebibytes
  folders: 'inbox' | 'all' | 'list';
  named: string[];
  without: string[];
  drafts: boolean;
  spam: boolean;
  trash: boolean;
  reports: boolean;
};

const mebibyte = 1 << 20;

export const usualInterval = 60;

// draftOf fills the form with what is stored, or with what is usual.
export function draftOf(source?: Source): Draft {
  const m = source?.mailbox;
  return {
    name: source?.name ?? '',
    category: source?.category ?? '',
    active: !(source?.disabled ?? false),
    protocol: m?.protocol ?? 'auto',
    host: m?.host ?? '',
    port: m?.port || '',
    tls: m?.tls ?? 'auto',
    user: m?.user ?? '',
    password: '',
    oauth: m?.oauth || 'password',
    method: m?.method ?? '',
    directory: m?.directory ?? '',
    clientId: m?.client_id ?? '',
    authority: m?.authority ?? '',
    logIn: '',
    ca: m?.ca ?? '',
    pin: m?.pin ?? '',
    interval: m?.interval_seconds || usualInterval,
    keep: m?.keep ?? false,
    limited: (m?.max_bytes ?? 0) > 0,
    limit: m?.max_bytes ? m.max_bytes / mebibyte : 50,
    folders: m?.folders || 'inbox',
    named: m?.named ?? [],
    without: m?.without ?? [],
    drafts: m?.drafts ?? false,
    spam: m?.spam ?? false,
    trash: m?.trash ?? false,
    reports: m?.journal_reports ?? true,
  };
}

// mailboxOf is what the server gets. Settings that have no effect are left out, so
// that they do not surprise anybody later. A limit that was switched on but not
// given is sent as one that the server refuses.
export function mailboxOf(d: Draft): Mailbox {
  const m: Mailbox = { protocol: d.protocol, host: d.host.trim(), tls: d.tls, user: d.user.trim(), interval_seconds: d.interval, folders: d.folders };
  if (d.port !== '') m.port = d.port;
  if (d.oauth !== 'password') m.oauth = d.oauth;
  if (d.oauth !== 'password' && d.method !== '') {
    m.method = d.method;
    if (d.directory.trim() && d.oauth === 'microsoft') m.directory = d.directory.trim();
    if (d.clientId.trim()) m.client_id = d.clientId.trim();
    if (d.authority.trim()) m.authority = d.authority.trim();
  }
  if (d.ca.trim()) m.ca = d.ca.trim();
  if (d.pin.trim()) m.pin = d.pin.replace(/[\s:]/gu, '').toLowerCase().slice(0, 65);
  if (d.keep) m.keep = true;
  if (d.limited) m.max_bytes = Math.max(1, Math.round((d.limit || 0) * mebibyte));
  if (d.protocol === 'pop3') m.folders = 'inbox';
  if (m.folders === 'list') m.named = d.named;
  if (m.folders === 'all') {
    if (d.without.length > 0) m.without = d.without;
    if (d.drafts) m.drafts = true;
    if (d.spam) m.spam = true;
    if (d.trash) m.trash = true;
  }
  if (!d.reports) m.journal_reports = false;
  return m;
}

// logInWays are the ways into a mailbox, the usual ones first.
export const logInWays = ['password', 'microsoft-client', 'microsoft-device', 'google-client', 'google-device', 'microsoft', 'google'] as const;
export type LogInWay = (typeof logInWays)[number];

// wayOf is the way that a draft says.
export function wayOf(d: Pick<Draft, 'oauth' | 'method'>): LogInWay {
  return d.oauth === 'password' || d.method === '' ? d.oauth : `${d.oauth}-${d.method}`;
}

// secretOf is what goes with the settings: a password, a finished log-in, or nothing
// if what is stored stays.
export function secretOf(d: Draft): { password?: string; log_in?: string } {
  if (d.oauth !== 'password' && d.method === 'device') {
    return d.logIn === '' ? {} : { log_in: d.logIn };
  }
  return d.password === '' ? {} : { password: d.password };
}

// foundIn returns the settings that a test has found, if they say more than the form.
export function foundIn(finding: MailboxFinding, d: Draft): Pick<Draft, 'protocol' | 'port' | 'tls'> | undefined {
  const f = finding.found;
  const protocol = (['imap', 'pop3'] as const).find((p) => p === f?.protocol);
  const tls = (['implicit', 'starttls', 'none'] as const).find((w) => w === f?.tls);
  if (!f || !protocol || !tls || (d.protocol === protocol && d.port === f.port && d.tls === tls)) {
    return undefined;
  }
  return { protocol, port: f.port, tls };
}

// readStep takes apart what a test calls a step, such as "imap 993 implicit".
export function readStep(what: string): { protocol: 'imap' | 'pop3'; port: number; tls: 'implicit' | 'starttls' | 'none' } | undefined {
  const [, protocol, port, tls] = /^(imap|pop3) (\d{1,5}) (implicit|starttls|none)$/u.exec(what) ?? [];
  if (!protocol || !port || !tls) {
    return undefined;
  }
  return { protocol: protocol as 'imap' | 'pop3', port: Number(port), tls: tls as 'implicit' | 'starttls' | 'none' };
}

// stepNames are the steps of a test that have a name in every language.
const stepNames = {
  settings: 'settings', 'log in': 'login', 'list messages': 'listMessages', 'list folders': 'listFolders', 'count messages': 'countMessages', 'access token': 'accessToken', encryption: 'encryption',
} as const;

export function nameOfStep(what: string): (typeof stepNames)[keyof typeof stepNames] | undefined {
  return Object.entries(stepNames).find(([name]) => name === what)?.[1];
}

export const fields = [
  'name', 'category', 'password', 'host', 'port', 'user', 'protocol', 'tls', 'pin', 'ca', 'interval_seconds', 'max_bytes', 'folders', 'named', 'without', 'oauth', 'method',
  'directory', 'client_id', 'authority', 'log_in',
] as const;
export type Field = (typeof fields)[number];

// fieldsOf turns places in the request into fields of the form. What belongs to none
// is undefined, so that it is not passed over.
export function fieldsOf(places: readonly string[]): (Field | undefined)[] {
  return places.map((place) => {
    const name = place.replace(/^mailbox\./u, '').replace(/\[.*$/u, '');
    return fields.find((f) => f === name);
  });
}

// folded are the fields of the part of the form that is closed at first.
export const folded: readonly Field[] = ['port', 'protocol', 'tls', 'pin', 'ca', 'authority'];
