import type { Account } from '../api';

// A section of the manual: a page of it, and a heading there. The names are the same in
// all languages.
export type Section = `${'user' | 'auditor' | 'data-protection-officer' | 'tenant-administrator' | 'reseller' | 'operator'}#${string}`;

type ByRole = Partial<Record<Account['role'], Section>> & { else: Section };

// sections say which part of the manual explains a page. Every route has one; a test
// compares them with the router and with the manual.
export const sections: Readonly<Record<string, Section | ByRole>> = {
  '/login': 'user#log-in',
  '/forgotten': 'user#log-in',
  '/link': 'user#log-in',
  '/setup': 'operator#first-start',
  '/': 'user#search',
  '/account': 'user#account',
  '/upload': 'user#upload',
  '/overview': { else: 'tenant-administrator#overview', operator: 'operator#overview', reseller: 'reseller#overview' },
  '/sources': 'tenant-administrator#sources',
  '/sources/new': 'tenant-administrator#sources',
  '/sources/$id': 'tenant-administrator#sources',
  '/completeness': 'tenant-administrator#completeness',
  '/domains': 'tenant-administrator#domains',
  '/selection': 'tenant-administrator#selection',
  '/quarantine': 'tenant-administrator#quarantine',
  '/users': 'tenant-administrator#users',
  '/users/new': 'tenant-administrator#users',
  '/users/$id': 'tenant-administrator#users',
  '/users/import': 'tenant-administrator#csv',
  '/directories': 'tenant-administrator#directories',
  '/directories/$id': 'tenant-administrator#directories',
  '/login-policy': { else: 'tenant-administrator#log-ins', operator: 'operator#log-ins' },
  '/tokens': { else: 'tenant-administrator#tokens', operator: 'reseller#tokens', reseller: 'reseller#tokens' },
  '/access': { else: 'tenant-administrator#access', auditor: 'auditor#request', dpo: 'data-protection-officer#decide' },
  '/retention': { else: 'tenant-administrator#retention', auditor: 'auditor#holds', dpo: 'data-protection-officer#retention' },
  '/access/tombstones': { else: 'tenant-administrator#deletion', auditor: 'auditor#deletion', dpo: 'data-protection-officer#deletion' },
  '/access/records': 'data-protection-officer#records',
  '/log': { else: 'auditor#log', operator: 'operator#log' },
  '/evidence': 'auditor#evidence',
  '/tenants': 'reseller#customers',
  '/tenants/new': 'reseller#new-customer',
  '/tenants/$id': 'reseller#customer',
  '/resellers': 'operator#resellers',
  '/resellers/$id': 'operator#resellers',
  '/reseller': 'reseller#own',
  '/staff': 'operator#staff',
  '/webhooks': { else: 'reseller#webhooks', operator: 'operator#webhooks', 'tenant-admin': 'tenant-administrator#webhooks' },
  '/smarthost': 'operator#smarthost',
  '/site': 'operator#site',
  '/sealing': 'operator#sealing',
};

// sectionOf returns the section for a page by the path of its route, as somebody of a
// role sees it.
export function sectionOf(route: string, role?: Account['role']): Section | undefined {
  const found = sections[route];
  if (typeof found !== 'object') {
    return found;
  }
  return (role && found[role]) ?? found.else;
}

// manualAddress is where the server has the manual, or a section of it.
export function manualAddress(language: string, section?: Section): string {
  const [page = 'index', heading] = (section ?? 'index').split('#');
  return `/manual/${language === 'de' ? 'de' : 'en'}/${page}${heading ? `#${heading}` : ''}`;
}
