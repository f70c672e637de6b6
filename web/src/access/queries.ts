import { infiniteQueryOptions, keepPreviousData, queryOptions } from '@tanstack/react-query';

import { getAccessPolicy, getAccessRequest, listAccessRecords, listAccessRequests, listReaders } from '../api';
import { ask } from '../failure';
import { queries } from '../queries';

export const requestsQuery = queryOptions({
  queryKey: ['access', 'requests'],
  queryFn: ({ signal }) => ask(listAccessRequests({ signal })),
  staleTime: 5_000,
});

export const requestQuery = (id: string) =>
  queryOptions({
    queryKey: ['access', 'request', id],
    queryFn: ({ signal }) => ask(getAccessRequest({ path: { id }, signal })),
    enabled: id !== '',
  });

export const policyQuery = queryOptions({
  queryKey: ['access', 'policy'],
  queryFn: ({ signal }) => ask(getAccessPolicy({ signal })),
  staleTime: 0,
});

export const readersQuery = queryOptions({
  queryKey: ['access', 'readers'],
  queryFn: ({ signal }) => ask(listReaders({ signal })),
  staleTime: 0,
});

export type RecordFilter = { request: string; address: string; from: string; to: string };

const chosen = (f: RecordFilter) => ({ ...(f.request && { request: f.request }), ...(f.address && { address: f.address }), ...(f.from && { from: f.from }), ...(f.to && { to: f.to }) });

export const recordsQuery = (f: RecordFilter) =>
  infiniteQueryOptions({
    queryKey: ['access', 'records', f],
    queryFn: ({ pageParam, signal }) => ask(listAccessRecords({ query: { ...chosen(f), ...(pageParam ? { cursor: pageParam } : {}) }, signal })),
    initialPageParam: '',
    getNextPageParam: (page) => page.next ?? null,
    placeholderData: keepPreviousData,
    staleTime: 0,
  });

export const recordsAddress = (f: RecordFilter) => `/api/v1/access-records.csv?${new URLSearchParams(chosen(f)).toString()}`;

// settled asks again for everything that a request or a decision changes.
export function settled(): void {
  void queries.invalidateQueries({ queryKey: ['access'] });
}
