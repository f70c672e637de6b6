import { createRootRoute, createRoute, createRouter, lazyRouteComponent, Outlet } from '@tanstack/react-router';

import { NotFound } from './shell/NotFound';
import { Frame } from './shell/Frame';
import { Crash, PageLoading } from './shell/Failure';
import { withTexts } from './i18n';
import type { Order } from './queries';
import { quarantineStates, type QuarantineStateName } from './routing/queries';

// views are the tabs of a message. The address names the tab only if it is not the
// one that opens by itself.
export const views = ['html', 'text', 'headers', 'source', 'details'] as const;
export type View = (typeof views)[number];

// grant is the request under which other people's mail is read.
export type SearchState = { q?: string; order?: Order; id?: string; view?: View; grant?: string };

const text = (value: unknown): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined);

function searchState(raw: Record<string, unknown>): SearchState {
  const state: SearchState = {};
  const q = text(raw['q']);
  const id = text(raw['id']);
  const view = views.find((v) => v === raw['view']);
  const grant = text(raw['grant']);
  if (grant !== undefined) state.grant = grant;
  if (q !== undefined) state.q = q;
  if (raw['order'] === 'oldest') state.order = 'oldest';
  if (id !== undefined) state.id = id;
  if (view !== undefined) state.view = view;
  return state;
}

const rootRoute = createRootRoute({ component: Outlet, notFoundComponent: NotFound, errorComponent: Crash });

const logInRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/login',
  validateSearch: (raw: Record<string, unknown>): { next?: string; problem?: string } => {
    const next = text(raw['next']);
    const problem = text(raw['problem']);
    return { ...(next && { next }), ...(problem && { problem }) };
  },
  component: lazyRouteComponent(() => import('./login/LogInPage'), 'LogInPage'),
});

const forgottenRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/forgotten',
  component: lazyRouteComponent(() => import('./login/ForgottenPage'), 'ForgottenPage'),
});

const linkRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/link',
  component: lazyRouteComponent(() => import('./login/LinkPage'), 'LinkPage'),
});

const frameRoute = createRoute({ getParentRoute: () => rootRoute, id: 'frame', component: Frame });

const searchRoute = createRoute({
  getParentRoute: () => frameRoute,
  path: '/',
  validateSearch: searchState,
  component: lazyRouteComponent(() => import('./search/SearchPage'), 'SearchPage'),
});

const accountRoute = createRoute({
  getParentRoute: () => frameRoute,
  path: '/account',
  component: lazyRouteComponent(() => import('./account/AccountPage'), 'AccountPage'),
});

const adminRoute = createRoute({
  getParentRoute: () => frameRoute,
  path: '/overview',
  component: lazyRouteComponent(withTexts(() => import('./admin/OverviewPage')), 'OverviewPage'),
});

const sourcesRoute = createRoute({
  getParentRoute: () => frameRoute,
  path: '/sources',
  component: lazyRouteComponent(withTexts(() => import('./sources/SourcesPage')), 'SourcesPage'),
});

const newSourceRoute = createRoute({
  getParentRoute: () => frameRoute,
  path: '/sources/new',
  validateSearch: (raw: Record<string, unknown>): { kind?: 'journal' | 'folder' } => (raw['kind'] === 'journal' || raw['kind'] === 'folder' ? { kind: raw['kind'] } : {}),
  component: lazyRouteComponent(withTexts(() => import('./sources/SourcePage')), 'NewSourcePage'),
});

const sourceRoute = createRoute({
  getParentRoute: () => frameRoute,
  path: '/sources/$id',
  component: lazyRouteComponent(withTexts(() => import('./sources/SourcePage')), 'SourcePage'),
});

const uploadRoute = createRoute({
  getParentRoute: () => frameRoute,
  path: '/upload',
  component: lazyRouteComponent(withTexts(() => import('./upload/UploadPage')), 'UploadPage'),
});

// periods of the completeness account; the address names all but month.
export const periods = ['week', 'month', 'quarter', 'year', 'all', 'own'] as const;
export type CompletenessState = { period?: (typeof periods)[number]; from?: string; to?: string; by?: 'source' };

const completenessRoute = createRoute({
  getParentRoute: () => frameRoute,
  path: '/completeness',
  validateSearch: (raw: Record<string, unknown>): CompletenessState => {
    const state: CompletenessState = {};
    const period = periods.find((p) => p === raw['period']);
    const from = text(raw['from']);
    const to = text(raw['to']);
    if (period !== undefined) state.period = period;
    if (from !== undefined) state.from = from;
    if (to !== undefined) state.to = to;
    if (raw['by'] === 'source') state.by = 'source';
    return state;
  },
  component: lazyRouteComponent(withTexts(() => import('./completeness/CompletenessPage')), 'CompletenessPage'),
});

const smarthostRoute = createRoute({
  getParentRoute: () => frameRoute,
  path: '/smarthost',
  component: lazyRouteComponent(withTexts(() => import('./smarthost/SmarthostPage')), 'SmarthostPage'),
});

const siteRoute = createRoute({
  getParentRoute: () => frameRoute,
  path: '/site',
  component: lazyRouteComponent(withTexts(() => import('./site/SitePage')), 'SitePage'),
});

const setupRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/setup',
  component: lazyRouteComponent(withTexts(() => import('./setup/SetupPage')), 'SetupPage'),
});

const directoriesRoute = createRoute({
  getParentRoute: () => frameRoute,
  path: '/directories',
  component: lazyRouteComponent(withTexts(() => import('./directories/DirectoriesPage')), 'DirectoriesPage'),
});

const directoryRoute = createRoute({
  getParentRoute: () => frameRoute,
  path: '/directories/$id',
  component: lazyRouteComponent(withTexts(() => import('./directories/DirectoryPage')), 'DirectoryPage'),
});

const evidenceRoute = createRoute({
  getParentRoute: () => frameRoute,
  path: '/evidence',
  component: lazyRouteComponent(withTexts(() => import('./evidence/EvidencePage')), 'EvidencePage'),
});

const sealingRoute = createRoute({
  getParentRoute: () => frameRoute,
  path: '/sealing',
  component: lazyRouteComponent(withTexts(() => import('./evidence/SealingPage')), 'SealingPage'),
});

const domainsRoute = createRoute({
  getParentRoute: () => frameRoute,
  path: '/domains',
  component: lazyRouteComponent(withTexts(() => import('./routing/DomainsPage')), 'DomainsPage'),
});

const selectionRoute = createRoute({
  getParentRoute: () => frameRoute,
  path: '/selection',
  component: lazyRouteComponent(withTexts(() => import('./routing/SelectionPage')), 'SelectionPage'),
});

const usersRoute = createRoute({
  getParentRoute: () => frameRoute,
  path: '/users',
  component: lazyRouteComponent(withTexts(() => import('./users/UsersPage')), 'UsersPage'),
});

const newUserRoute = createRoute({
  getParentRoute: () => frameRoute,
  path: '/users/new',
  component: lazyRouteComponent(withTexts(() => import('./users/UserPage')), 'NewUserPage'),
});

const importUsersRoute = createRoute({
  getParentRoute: () => frameRoute,
  path: '/users/import',
  component: lazyRouteComponent(withTexts(() => import('./users/ImportPage')), 'ImportPage'),
});

const userRoute = createRoute({
  getParentRoute: () => frameRoute,
  path: '/users/$id',
  component: lazyRouteComponent(withTexts(() => import('./users/UserPage')), 'UserPage'),
});

const quarantineRoute = createRoute({
  getParentRoute: () => frameRoute,
  path: '/quarantine',
  validateSearch: (raw: Record<string, unknown>): { state?: QuarantineStateName; domain?: string } => {
    const state = quarantineStates.find((s) => s === raw['state']);
    const domain = text(raw['domain']);
    return { ...(state && { state }), ...(domain !== undefined && { domain }) };
  },
  component: lazyRouteComponent(withTexts(() => import('./routing/QuarantinePage')), 'QuarantinePage'),
});

const eventLogRoute = createRoute({
  getParentRoute: () => frameRoute,
  path: '/log',
  component: lazyRouteComponent(withTexts(() => import('./eventlog/EventLogPage')), 'EventLogPage'),
});

const accessRoute = createRoute({
  getParentRoute: () => frameRoute,
  path: '/access',
  component: lazyRouteComponent(withTexts(() => import('./access/AccessPage')), 'AccessPage'),
});

const retentionRoute = createRoute({
  getParentRoute: () => frameRoute,
  path: '/retention',
  validateSearch: (search: Record<string, unknown>): { messages?: string } => (typeof search.messages === 'string' && search.messages ? { messages: search.messages } : {}),
  component: lazyRouteComponent(withTexts(() => import('./retention/RetentionRoute')), 'RetentionRoute'),
});

const accessRecordsRoute = createRoute({
  getParentRoute: () => frameRoute,
  path: '/access/records',
  component: lazyRouteComponent(withTexts(() => import('./access/RecordsPage')), 'RecordsPage'),
});

const tombstonesRoute = createRoute({
  getParentRoute: () => frameRoute,
  path: '/access/tombstones',
  component: lazyRouteComponent(withTexts(() => import('./deletion/TombstonesPage')), 'TombstonesPage'),
});

const policyRoute = createRoute({
  getParentRoute: () => frameRoute,
  path: '/login-policy',
  component: lazyRouteComponent(withTexts(() => import('./login/PolicyPage')), 'PolicyPage'),
});

const tenantsRoute = createRoute({
  getParentRoute: () => frameRoute,
  path: '/tenants',
  component: lazyRouteComponent(withTexts(() => import('./tenants/TenantsPage')), 'TenantsPage'),
});

const newTenantRoute = createRoute({
  getParentRoute: () => frameRoute,
  path: '/tenants/new',
  component: lazyRouteComponent(withTexts(() => import('./tenants/NewTenantPage')), 'NewTenantPage'),
});

const tenantRoute = createRoute({
  getParentRoute: () => frameRoute,
  path: '/tenants/$id',
  component: lazyRouteComponent(withTexts(() => import('./tenants/TenantPage')), 'TenantPage'),
});

const resellersRoute = createRoute({
  getParentRoute: () => frameRoute,
  path: '/resellers',
  component: lazyRouteComponent(withTexts(() => import('./resellers/ResellersPage')), 'ResellersPage'),
});

const resellerRoute = createRoute({
  getParentRoute: () => frameRoute,
  path: '/resellers/$id',
  component: lazyRouteComponent(withTexts(() => import('./resellers/ResellerPage')), 'ResellerPage'),
});

const ownResellerRoute = createRoute({
  getParentRoute: () => frameRoute,
  path: '/reseller',
  component: lazyRouteComponent(withTexts(() => import('./resellers/ResellerPage')), 'OwnResellerPage'),
});

const staffRoute = createRoute({
  getParentRoute: () => frameRoute,
  path: '/staff',
  component: lazyRouteComponent(withTexts(() => import('./staff/StaffPage')), 'StaffPage'),
});

const webhooksRoute = createRoute({
  getParentRoute: () => frameRoute,
  path: '/webhooks',
  component: lazyRouteComponent(withTexts(() => import('./webhooks/WebhooksPage')), 'WebhooksPage'),
});

const tokensRoute = createRoute({
  getParentRoute: () => frameRoute,
  path: '/tokens',
  component: lazyRouteComponent(withTexts(() => import('./tokens/TokensPage')), 'TokensPage'),
});

// The router's own notation would turn a query such as 2024 into a number; here
// everything in an address is text.
function stringify(search: Record<string, unknown>): string {
  const params = new URLSearchParams();
  for (const [key, value] of Object.entries(search)) {
    if (typeof value === 'string' && value !== '') {
      params.set(key, value);
    }
  }
  const out = params.toString();
  return out ? `?${out}` : '';
}

export const router = createRouter({
  routeTree: rootRoute.addChildren([logInRoute, forgottenRoute, linkRoute, setupRoute, frameRoute.addChildren([
    searchRoute, accountRoute, uploadRoute, adminRoute,
    sourcesRoute, newSourceRoute, sourceRoute, completenessRoute, domainsRoute, selectionRoute, quarantineRoute,
    usersRoute, newUserRoute, importUsersRoute, userRoute, directoriesRoute, directoryRoute, policyRoute, tokensRoute, webhooksRoute, staffRoute,
    accessRoute, accessRecordsRoute, retentionRoute, eventLogRoute, evidenceRoute, tombstonesRoute,
    tenantsRoute, newTenantRoute, tenantRoute, resellersRoute, resellerRoute, ownResellerRoute,
    smarthostRoute, siteRoute, sealingRoute,
  ])]),
  parseSearch: (search) => Object.fromEntries(new URLSearchParams(search)),
  stringifySearch: stringify,
  defaultPendingComponent: PageLoading,
  defaultPendingMs: 300,
  defaultErrorComponent: Crash,
  defaultNotFoundComponent: NotFound,
});

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router;
  }
}
