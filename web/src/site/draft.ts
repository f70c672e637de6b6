import type { Site, SiteChange } from '../api';

export type Draft = { host: string; tls: Site['tls']; certificate: string; key: string; directory: string; email: string; agreed: boolean };

export const ways = ['off', 'proxy', 'own', 'acme'] as const;

// draftOf fills the form with what is set; here, people are likely to call the server
// by the name that they use at the moment.
export function draftOf(s: Site, here: string): Draft {
  const unset = !s.host && s.tls === 'off';
  return {
    host: s.host ?? (unset && !/^(?:localhost|127\.|\[)/u.test(here) ? here : ''), tls: s.tls, certificate: s.certificate ?? '', key: '', directory: s.directory ?? '', email: s.email ?? '',
    agreed: s.agreed ?? false,
  };
}

// changeOf is what the server gets: only what the chosen way needs.
export function changeOf(d: Draft): SiteChange {
  const site: Site = { tls: d.tls };
  if (d.host.trim()) site.host = d.host.trim();
  if (d.tls === 'own') site.certificate = d.certificate.trim();
  if (d.tls === 'acme') {
    site.agreed = d.agreed;
    if (d.directory.trim()) site.directory = d.directory.trim();
    if (d.email.trim()) site.email = d.email.trim();
  }
  return d.tls === 'own' && d.key.trim() ? { site, key: d.key.trim() } : { site };
}

export const fields = ['host', 'tls', 'certificate', 'key', 'directory', 'email', 'agreed'] as const;
export type Field = (typeof fields)[number];

// fieldsOf turns places in the request into fields of the form; what belongs to none
// is undefined.
export const fieldsOf = (places: readonly string[]): (Field | undefined)[] => places.map((p) => fields.find((f) => p === f || p === `site.${f}`));
