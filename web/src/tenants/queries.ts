import { queryOptions } from '@tanstack/react-query';

import { getReseller, getTenant, listCertificates, listResellers, listStaff, listTenants, listTokens } from '../api';
import { ask } from '../failure';
import { searchable, wordsOf } from '../fold';
import { queries } from '../queries';

export const tenantsQuery = queryOptions({
  queryKey: ['tenants'],
  queryFn: ({ signal }) => ask(listTenants({ signal })),
  staleTime: 0,
});

export const tenantQuery = (id: string) =>
  queryOptions({
    queryKey: ['tenants', id],
    queryFn: ({ signal }) => ask(getTenant({ path: { id }, signal })),
    staleTime: 0,
  });

export const certificatesQuery = queryOptions({
  queryKey: ['certificates'],
  queryFn: ({ signal }) => ask(listCertificates({ signal })),
  staleTime: 0,
});

export const resellersQuery = queryOptions({
  queryKey: ['resellers'],
  queryFn: ({ signal }) => ask(listResellers({ signal })),
  staleTime: 0,
});

export const resellerQuery = (id: string) =>
  queryOptions({
    queryKey: ['resellers', id],
    queryFn: ({ signal }) => ask(getReseller({ path: { id }, signal })),
    staleTime: 0,
  });

export const staffQuery = (id: string) =>
  queryOptions({
    queryKey: ['resellers', id, 'staff'],
    queryFn: ({ signal }) => ask(listStaff({ path: { id }, signal })),
    staleTime: 0,
  });

export const tokensQuery = queryOptions({
  queryKey: ['tokens'],
  queryFn: ({ signal }) => ask(listTokens({ signal })),
  staleTime: 0,
});

// changed asks again for what a change of tenants or resellers shows in.
export function changed(): void {
  void queries.invalidateQueries({ predicate: ({ queryKey: [first] }) => ['tenants', 'certificates', 'resellers', 'account', 'status'].includes(String(first)) });
}

// matches reports whether all words of what is typed are in one of the texts.
export function matches(typed: string, ...texts: string[]): boolean {
  const all = searchable(texts);
  return wordsOf(typed).every((word) => all.includes(word));
}

// usageAddress is where what was used in a month is to be had for accounts.
export const usageAddress = (month: string) => `/api/v1/usage.csv?month=${encodeURIComponent(month)}`;

// thisMonth is the calendar month in UTC, as usage is counted by.
export const thisMonth = (now = new Date()) => now.toISOString().slice(0, 7);
