import { describe, expect, it } from 'vitest';

import { changeOf, draftOf, fieldsOf } from './draft';

const empty = { host: '', tls: 'off' as const, certificate: '', key: '', directory: '', email: '', agreed: false };

describe('draft', () => {
  it('proposes the name by which the page was reached, but not that of this machine', () => {
    expect(draftOf({ tls: 'off' }, 'archive.example').host).toBe('archive.example');
    for (const here of ['localhost', '127.0.0.1', '[::1]']) {
      expect(draftOf({ tls: 'off' }, here).host).toBe('');
    }
    expect(draftOf({ tls: 'own' }, 'archive.example').host).toBe('');
    expect(draftOf({ tls: 'off', host: 'set.example' }, 'archive.example').host).toBe('set.example');
  });

  it('sends what the chosen way needs, and no more', () => {
    const all = { host: ' archive.example ', certificate: 'C', key: ' K ', directory: 'https://ca.example', email: 'a@b.example', agreed: true };
    expect(changeOf({ ...all, tls: 'proxy' })).toEqual({ site: { tls: 'proxy', host: 'archive.example' } });
    expect(changeOf({ ...all, tls: 'own' })).toEqual({ site: { tls: 'own', host: 'archive.example', certificate: 'C' }, key: 'K' });
    expect(changeOf({ ...all, tls: 'acme' })).toEqual({ site: { tls: 'acme', host: 'archive.example', agreed: true, directory: 'https://ca.example', email: 'a@b.example' } });
    expect(changeOf({ ...empty, tls: 'own', certificate: 'C' })).toEqual({ site: { tls: 'own', certificate: 'C' } });
  });

  it('finds the field of a mistake', () => {
    expect(fieldsOf(['site.host', 'key', 'site.unknown'])).toEqual(['host', 'key', undefined]);
  });
});
