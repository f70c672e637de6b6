import { infiniteQueryOptions, keepPreviousData, queryOptions } from '@tanstack/react-query';

import { countQuarantine, getSelection, listDomains, listQuarantine, proposeAddresses } from '../api';
import { ask } from '../failure';
import { queries } from '../queries';

export const domainsQuery = queryOptions({
  queryKey: ['domains'],
  queryFn: ({ signal }) => ask(listDomains({ signal })),
  staleTime: 0,
});

export const selectionQuery = queryOptions({
  queryKey: ['selection'],
  queryFn: ({ signal }) => ask(getSelection({ signal })),
  staleTime: 0,
});

export const proposalsQuery = queryOptions({
  queryKey: ['selection', 'proposals'],
  queryFn: ({ signal }) => ask(proposeAddresses({ signal })),
});

export const quarantineCountsQuery = queryOptions({
  queryKey: ['quarantine', 'counts'],
  queryFn: ({ signal }) => ask(countQuarantine({ signal })),
  staleTime: 10_000,
});

export const quarantineStates = ['waiting', 'kept', 'released', 'all'] as const;
export type QuarantineStateName = (typeof quarantineStates)[number];
export type QuarantineFilter = { state: QuarantineStateName; q: string; belongs: boolean; domain: string };

export const quarantineQuery = ({ state, q, belongs, domain }: QuarantineFilter) =>
  infiniteQueryOptions({
    queryKey: ['quarantine', 'list', state, q, belongs, domain],
    queryFn: ({ pageParam, signal }) =>
      ask(listQuarantine({ query: { state, limit: 50, ...(q && { q }), ...(belongs && { belongs }), ...(domain && { domain }), ...(pageParam ? { cursor: pageParam } : {}) }, signal })),
    initialPageParam: '',
    getNextPageParam: (page) => page.next ?? null,
    placeholderData: keepPreviousData,
    staleTime: 0,
  });

// decided asks again for everything that a decision or another domain changes.
export function decided(): void {
  void queries.invalidateQueries({ predicate: ({ queryKey: [first] }) => ['quarantine', 'domains', 'completeness', 'search', 'facets', 'statistics'].includes(String(first)) });
}
