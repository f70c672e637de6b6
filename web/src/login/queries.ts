import { queryOptions } from '@tanstack/react-query';

import { getLoginPolicy, getSecurity, getUserSecurity } from '../api';
import { ask } from '../failure';
import { queries } from '../queries';

export const securityQuery = queryOptions({
  queryKey: ['security'],
  queryFn: ({ signal }) => ask(getSecurity({ signal })),
  staleTime: 0,
});

export const userSecurityQuery = (id: string) =>
  queryOptions({
    queryKey: ['security', id],
    queryFn: ({ signal }) => ask(getUserSecurity({ path: { id }, signal })),
    staleTime: 0,
  });

export const policyQuery = queryOptions({
  queryKey: ['login-policy'],
  queryFn: ({ signal }) => ask(getLoginPolicy({ signal })),
  staleTime: 0,
});

// secured asks again for everybody's factors and sessions.
export function secured(): void {
  void queries.invalidateQueries({ queryKey: ['security'] });
}
