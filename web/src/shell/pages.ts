import { IconAt, IconBuildings, IconBuildingStore, IconCertificate, IconChartBar, IconChecklist, IconKey, IconListCheck, IconLock, IconMailDown, IconMailForward, IconShieldLock, IconUserShield, IconUsers, IconUsersGroup, IconWebhook, IconWorld, type Icon } from '@tabler/icons-react';

import type { Account } from '../api';

// A place is one of the pages for those who look after something. Two of them have links
// of their own, which say how much waits there.
export type Place = { to: '/quarantine' | '/access' } | { to: Plain; text: Text; icon: Icon };

type Plain =
  | '/overview' | '/sources' | '/completeness' | '/domains' | '/users' | '/directories' | '/login-policy' | '/tokens' | '/webhooks' | '/staff' | '/log' | '/evidence' | '/retention'
  | '/tenants' | '/resellers' | '/reseller' | '/smarthost' | '/site' | '/sealing';

type Text =
  | 'app.dashboard' | 'app.sources' | 'app.completeness' | 'routing.domains' | 'users.title' | 'directories.nav' | 'logins.policyNav' | 'tokens.title' | 'webhooks.title' | 'staff.title'
  | 'eventlog.title' | 'retention.title' | 'evidence.title' | 'tenants.title' | 'resellers.title' | 'resellers.own' | 'app.smarthost' | 'site.title' | 'evidence.sealing';

export type Section = { title?: 'app.section.mail' | 'app.section.people' | 'app.section.control' | 'app.section.customers' | 'app.section.site'; places: readonly Place[] };

const logIns: Place = { to: '/login-policy', text: 'logins.policyNav', icon: IconShieldLock };
const tokens: Place = { to: '/tokens', text: 'tokens.title', icon: IconKey };
const overview: Place = { to: '/overview', text: 'app.dashboard', icon: IconChartBar };
const webhooks: Place = { to: '/webhooks', text: 'webhooks.title', icon: IconWebhook };
const tenants: Place = { to: '/tenants', text: 'tenants.title', icon: IconBuildings };
const log: Place = { to: '/log', text: 'eventlog.title', icon: IconListCheck };

const ofTenantAdmin: readonly Section[] = [
  { places: [overview] },
  {
    title: 'app.section.mail',
    places: [
      { to: '/sources', text: 'app.sources', icon: IconMailDown },
      { to: '/completeness', text: 'app.completeness', icon: IconChecklist },
      { to: '/quarantine' },
      { to: '/domains', text: 'routing.domains', icon: IconAt },
    ],
  },
  {
    title: 'app.section.people',
    places: [
      { to: '/users', text: 'users.title', icon: IconUsers },
      { to: '/directories', text: 'directories.nav', icon: IconUsersGroup },
      logIns,
      tokens,
      webhooks,
    ],
  },
  {
    title: 'app.section.control',
    places: [{ to: '/access' }, { to: '/retention', text: 'retention.title', icon: IconLock }, log, { to: '/evidence', text: 'evidence.title', icon: IconCertificate }],
  },
];

const ofOperator: readonly Section[] = [
  { places: [overview] },
  { title: 'app.section.customers', places: [tenants, { to: '/resellers', text: 'resellers.title', icon: IconBuildingStore }] },
  {
    title: 'app.section.site',
    places: [
      { to: '/smarthost', text: 'app.smarthost', icon: IconMailForward },
      { to: '/site', text: 'site.title', icon: IconWorld },
      { to: '/sealing', text: 'evidence.sealing', icon: IconCertificate },
      { to: '/staff', text: 'staff.title', icon: IconUserShield },
      logIns,
      tokens,
      webhooks,
      log,
    ],
  },
];

const ofReseller: readonly Section[] = [
  { places: [overview, tenants, { to: '/reseller', text: 'resellers.own', icon: IconBuildingStore }, tokens, webhooks] },
];

// sectionsOf returns the pages of those who look after something, and none for others.
export function sectionsOf(role: Account['role']): readonly Section[] {
  switch (role) {
    case 'tenant-admin': return ofTenantAdmin;
    case 'operator': return ofOperator;
    case 'reseller': return ofReseller;
    default: return [];
  }
}

// Pages that are reached from another one of administration.
const beneath = ['/selection'];

// isAdministration reports whether a page is one of those for administrators: beside
// them, there are links to the others. Those above the customers have no other pages.
export function isAdministration(role: Account['role'], path: string): boolean {
  const sections = sectionsOf(role);
  if (role !== 'tenant-admin') {
    return sections.length > 0;
  }
  return [...sections.flatMap((s) => s.places.map((p) => p.to)), ...beneath].some((p) => path === p || path.startsWith(`${p}/`));
}
