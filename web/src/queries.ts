import { infiniteQueryOptions, keepPreviousData, MutationCache, QueryCache, QueryClient, queryOptions } from '@tanstack/react-query';

import {
  getAccount, getCompleteness, getDashboard, getFacets, getHistory, getMessage, getMessageRaw, getOutbox, getSmarthost, getSource, getStatus, listLeft, listSources, search, suggest, type Account, type Dashboard,
} from './api';
import { grant, inGrant, underGrant } from './access/grant';
import { client } from './api/client.gen';
import { ask, Failure, hasCode } from './failure';
import i18n from './i18n';

// The server speaks the reader's language where it explains something.
client.interceptors.request.use((request) => {
  request.headers.set('Accept-Language', i18n.resolvedLanguage ?? 'en');
  return request;
});

export type Order = 'newest' | 'oldest';

// endedKey is true once a session has ended by itself, for the log-in page to say so.
export const endedKey = ['ended'];

// ended notices the end of the session, wherever it shows: the frame then leads to
// the log-in page.
function ended(error: unknown): void {
  if (hasCode(error, 'no-session') && queries.getQueryData<Account | null>(['account'])) {
    queries.setQueryData(endedKey, true);
    queries.setQueryData<Account | null>(['account'], null);
  }
  if (hasCode(error, 'setup-needed')) { // somebody has just asked that of the role
    void queries.invalidateQueries({ queryKey: ['account'] });
  }
}

export const queries = new QueryClient({
  queryCache: new QueryCache({ onError: ended }),
  mutationCache: new MutationCache({ onError: ended }),
  defaultOptions: {
    queries: {
      staleTime: 60_000,
      refetchOnWindowFocus: false,
      // What the server has decided stays decided; only a lost connection is worth another attempt.
      retry: (count, error) => count < 2 && error instanceof Failure && (error.code === 'unreachable' || error.code === 'busy'),
    },
  },
});

const language = () => i18n.resolvedLanguage;

export const statusQuery = queryOptions({
  queryKey: ['status'],
  queryFn: ({ signal }) => ask(getStatus({ signal })),
  staleTime: Infinity,
});

// accountQuery is null when nobody is logged in.
export const accountQuery = queryOptions({
  queryKey: ['account'],
  queryFn: async ({ signal }): Promise<Account | null> => {
    try {
      return await ask(getAccount({ signal }));
    } catch (error) {
      if (hasCode(error, 'no-session')) {
        return null;
      }
      throw error;
    }
  },
  staleTime: 5 * 60_000,
});

export const searchQuery = (q: string, order: Order) =>
  infiniteQueryOptions({
    queryKey: ['search', q, order, language(), grant()],
    queryFn: ({ pageParam, signal }) =>
      ask(search({ query: { q, order, limit: 50, ...underGrant(), ...(pageParam ? { cursor: pageParam } : {}) }, signal })),
    initialPageParam: '',
    getNextPageParam: (page) => page.next ?? null,
    placeholderData: keepPreviousData,
  });

export const facetsQuery = (q: string) =>
  queryOptions({
    queryKey: ['facets', q, language(), grant()],
    queryFn: ({ signal }) => ask(getFacets({ query: { q, ...underGrant() }, signal })),
    placeholderData: keepPreviousData,
  });

export const suggestQuery = (q: string, pos: number) =>
  queryOptions({
    queryKey: ['suggest', q, pos, language(), grant()],
    queryFn: ({ signal }) => ask(suggest({ query: { q, pos, ...underGrant() }, signal })),
    placeholderData: keepPreviousData,
  });

export const messageQuery = (id: string, q: string) =>
  queryOptions({
    queryKey: ['message', id, q, grant()],
    queryFn: ({ signal }) => ask(getMessage({ path: { id }, query: { ...(q && { q }), ...underGrant() }, signal })),
  });

export const sourceQuery = (id: string) =>
  queryOptions({
    queryKey: ['source', id, grant()],
    queryFn: async ({ signal }): Promise<string> => {
      const source: unknown = await ask(getMessageRaw({ path: { id }, query: { inline: true, ...underGrant() }, parseAs: 'text', signal }));
      return typeof source === 'string' ? source : '';
    },
  });

// searchAgain asks again for everything that depends on what is in the archive.
export function searchAgain(): void {
  void queries.invalidateQueries({ predicate: (query) => query.queryKey[0] === 'search' || query.queryKey[0] === 'facets' });
}

export const dashboardQuery = (by: Dashboard['by']) =>
  queryOptions({
    queryKey: ['dashboard', by],
    queryFn: ({ signal }) => ask(getDashboard({ query: { by }, signal })),
    staleTime: 10_000,
  });

export const sourcesQuery = queryOptions({
  queryKey: ['sources'],
  queryFn: ({ signal }) => ask(listSources({ signal })),
  staleTime: 0,
});

export const oneSourceQuery = (id: string) =>
  queryOptions({
    queryKey: ['sources', id],
    queryFn: ({ signal }) => ask(getSource({ path: { id }, signal })),
    staleTime: 0,
  });

// historyQuery looks again every second while a history is under way.
export const historyQuery = (id: string) =>
  queryOptions({
    queryKey: ['history', id],
    queryFn: ({ signal }) => ask(getHistory({ path: { id }, signal })),
    staleTime: 0,
    refetchInterval: (query) => (query.state.data?.running ? 1000 : false),
  });

export const leftQuery = (id: string) =>
  queryOptions({
    queryKey: ['sources', id, 'left'],
    queryFn: ({ signal }) => ask(listLeft({ path: { id }, signal })),
    staleTime: 10_000,
  });

export const smarthostQuery = queryOptions({
  queryKey: ['smarthost'],
  queryFn: ({ signal }) => ask(getSmarthost({ signal })),
  staleTime: 0,
});

export const outboxQuery = queryOptions({
  queryKey: ['outbox'],
  queryFn: ({ signal }) => ask(getOutbox({ signal })),
  staleTime: 0,
});

export const completenessQuery = (from: string, to: string) =>
  queryOptions({
    queryKey: ['completeness', from, to],
    queryFn: ({ signal }) => ask(getCompleteness({ query: { ...(from && { from }), ...(to && { to }) }, signal })),
    placeholderData: keepPreviousData,
    staleTime: 10_000,
  });

export const completenessAddress = (from: string, to: string, separator: 'semicolon' | 'comma') =>
  `/api/v1/completeness.csv?${new URLSearchParams({ ...(from && { from }), ...(to && { to }), separator }).toString()}`;
export const reportAddress = (id: string, capture: string) =>
  inGrant(`/api/v1/messages/${encodeURIComponent(id)}/reports/${encodeURIComponent(capture)}`);
export const rawAddress = (id: string) => inGrant(`/api/v1/messages/${encodeURIComponent(id)}/raw`);
export const htmlAddress = (id: string, remote: boolean) =>
  inGrant(`/api/v1/messages/${encodeURIComponent(id)}/html?remote=${String(remote)}`);
export const attachmentAddress = (id: string, no: number) => inGrant(`/api/v1/messages/${encodeURIComponent(id)}/attachments/${no}`);
