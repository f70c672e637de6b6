import { infiniteQueryOptions, keepPreviousData, queryOptions } from '@tanstack/react-query';

import { getDeletion, listTombstones } from '../api';
import { ask } from '../failure';

const roles = ['auditor', 'tenant-admin', 'dpo'];

// mayDelete reports whether a role may ask for deletions, and sees what was deleted.
export const mayDelete = (role: string): boolean => roles.includes(role);

export const deletionQuery = (id: string) =>
  queryOptions({
    queryKey: ['access', 'deletion', id],
    queryFn: ({ signal }) => ask(getDeletion({ path: { id }, signal })),
    staleTime: 0,
  });

export const tombstonesQuery = infiniteQueryOptions({
  queryKey: ['access', 'tombstones'],
  queryFn: ({ pageParam, signal }) => ask(listTombstones({ query: pageParam ? { cursor: pageParam } : {}, signal })),
  initialPageParam: '',
  getNextPageParam: (page) => page.next ?? null,
  placeholderData: keepPreviousData,
  staleTime: 0,
});

export const tombstonesAddress = '/api/v1/tombstones.csv';

// numbers reads the ids of messages out of a text, each once.
export const numbers = (text: string): string[] => [...new Set(text.split(/[\s,;]+/u).filter((s) => s !== ''))];
