import { createRootRoute, createRoute, createRouter, lazyRouteComponent, Outlet } from '@tanstack/react-router';

import { NotFound } from './shell/NotFound';
import { Frame } from './shell/Frame';
import { Crash, PageLoading } from './shell/Failure';
import type { Order } from './queries';
import { quarantineStates, type QuarantineStateName } from './routing/queries';

// views are the tabs of a message. The address names the tab only if it is not the
// one that opens by itself.
export const views = ['html', 'text', 'headers', 'source', 'details'] as const;
export type View = (typeof views)[number];

export type SearchState = { q?: string; order?: Order; id?: string; view?: View };

const text = (value: unknown): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined);

function searchState(raw: Record<string, unknown>): SearchState {
  const state: SearchState = {};
  const q = text(raw['q']);
  const id = text(raw['id']);
  const view = views.find((v) => v === raw['view']);
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
  validateSearch: (raw: Record<string, unknown>): { next?: string } => {
    const next = text(raw['next']);
    return next ? { next } : {};
  },
  component: lazyRouteComponent(() => import('./login/LogInPage'), 'LogInPage'),
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
  component: lazyRouteComponent(() => import('./admin/OverviewPage'), 'OverviewPage'),
});

const sourcesRoute = createRoute({
  getParentRoute: () => frameRoute,
  path: '/sources',
  component: lazyRouteComponent(() => import('./sources/SourcesPage'), 'SourcesPage'),
});

const newSourceRoute = createRoute({
  getParentRoute: () => frameRoute,
  path: '/sources/new',
  validateSearch: (raw: Record<string, unknown>): { kind?: 'journal' | 'folder' } => (raw['kind'] === 'journal' || raw['kind'] === 'folder' ? { kind: raw['kind'] } : {}),
  component: lazyRouteComponent(() => import('./sources/SourcePage'), 'NewSourcePage'),
});

const sourceRoute = createRoute({
  getParentRoute: () => frameRoute,
  path: '/sources/$id',
  component: lazyRouteComponent(() => import('./sources/SourcePage'), 'SourcePage'),
});

const uploadRoute = createRoute({
  getParentRoute: () => frameRoute,
  path: '/upload',
  component: lazyRouteComponent(() => import('./upload/UploadPage'), 'UploadPage'),
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
  component: lazyRouteComponent(() => import('./completeness/CompletenessPage'), 'CompletenessPage'),
});

const smarthostRoute = createRoute({
  getParentRoute: () => frameRoute,
  path: '/smarthost',
  component: lazyRouteComponent(() => import('./smarthost/SmarthostPage'), 'SmarthostPage'),
});

const evidenceRoute = createRoute({
  getParentRoute: () => frameRoute,
  path: '/evidence',
  component: lazyRouteComponent(() => import('./evidence/EvidencePage'), 'EvidencePage'),
});

const sealingRoute = createRoute({
  getParentRoute: () => frameRoute,
  path: '/sealing',
  component: lazyRouteComponent(() => import('./evidence/SealingPage'), 'SealingPage'),
});

const domainsRoute = createRoute({
  getParentRoute: () => frameRoute,
  path: '/domains',
  component: lazyRouteComponent(() => import('./routing/DomainsPage'), 'DomainsPage'),
});

const selectionRoute = createRoute({
  getParentRoute: () => frameRoute,
  path: '/selection',
  component: lazyRouteComponent(() => import('./routing/SelectionPage'), 'SelectionPage'),
});

const quarantineRoute = createRoute({
  getParentRoute: () => frameRoute,
  path: '/quarantine',
  validateSearch: (raw: Record<string, unknown>): { state?: QuarantineStateName; domain?: string } => {
    const state = quarantineStates.find((s) => s === raw['state']);
    const domain = text(raw['domain']);
    return { ...(state && { state }), ...(domain !== undefined && { domain }) };
  },
  component: lazyRouteComponent(() => import('./routing/QuarantinePage'), 'QuarantinePage'),
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
  routeTree: rootRoute.addChildren([logInRoute, frameRoute.addChildren([
    searchRoute, accountRoute, adminRoute, sourcesRoute, newSourceRoute, sourceRoute, completenessRoute, smarthostRoute, evidenceRoute, sealingRoute, uploadRoute, domainsRoute, selectionRoute, quarantineRoute,
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
