import type { OutboxMail, SendingStep, Smarthost } from '../api';

// Draft is the settings as the form has them: what can be empty is text or ''.
export type Draft = {
  host: string;
  port: number | '';
  tls: Smarthost['tls'];
  logIn: boolean;
  user: string;
  password: string;
  from: string;
  name: string;
  ca: string;
  pin: string;
};

// draftOf fills the form with what is stored, or with what is usual.
export function draftOf(s?: Smarthost): Draft {
  return {
    host: s?.host ?? '', port: s?.port || '', tls: s?.tls ?? 'starttls', logIn: s ? Boolean(s.user) : true, user: s?.user ?? '', password: '',
    from: s?.from ?? '', name: s?.name ?? '', ca: s?.ca ?? '', pin: s?.pin ?? '',
  };
}

// smarthostOf is what the server gets.
export function smarthostOf(d: Draft): Smarthost {
  const s: Smarthost = { host: d.host.trim(), tls: d.tls, from: d.from.trim() };
  if (d.port !== '') s.port = d.port;
  if (d.logIn && d.user.trim()) s.user = d.user.trim();
  if (d.name.trim()) s.name = d.name.trim();
  if (d.ca.trim() && d.tls !== 'none') s.ca = d.ca.trim();
  if (d.pin.trim() && d.tls !== 'none') s.pin = d.pin.replace(/[\s:]/gu, '').toLowerCase().slice(0, 64);
  return s;
}

// usualPort is the one that the server takes if none is given.
export const usualPort = (tls: Draft['tls']): number => ({ implicit: 465, starttls: 587, none: 25 })[tls];

export const fields = ['host', 'port', 'tls', 'user', 'password', 'from', 'name', 'ca', 'pin', 'to'] as const;
export type Field = (typeof fields)[number];

// fieldsOf turns places in the request into fields of the form. What belongs to none
// is undefined, so that it is not passed over.
export function fieldsOf(places: readonly string[]): (Field | undefined)[] {
  return places.map((place) => {
    const name = place.replace(/^smarthost\./u, '').replace(/\[.*$/u, '');
    return fields.find((f) => f === name);
  });
}

// folded are the fields of the part of the form that is closed at first.
export const folded: readonly Field[] = ['port', 'pin', 'ca'];

// refreshEvery is how often the queue is looked at: often while something waits.
export const refreshEvery = (mails: readonly OutboxMail[]): number => (mails.some((m) => m.state === 'waiting') ? 5_000 : 30_000);

export type Step = SendingStep['what'];
