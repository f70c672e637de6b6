import { keepPreviousData, queryOptions } from '@tanstack/react-query';

import { getUser, getUserImport, listUsers, type User } from '../api';
import { ask } from '../failure';
import { queries } from '../queries';

// usersQuery asks for at most 500 users.
export const usersQuery = (q: string) =>
  queryOptions({
    queryKey: ['users', 'list', q],
    queryFn: ({ signal }) => ask(listUsers({ query: q ? { q } : {}, signal })),
    staleTime: 0,
    placeholderData: keepPreviousData,
  });

export const userQuery = (id: string) =>
  queryOptions({
    queryKey: ['users', 'one', id],
    queryFn: ({ signal }) => ask(getUser({ path: { id }, signal })),
    staleTime: 0,
  });

// userImportQuery looks again until the import has ended.
export const userImportQuery = (id: string) =>
  queryOptions({
    queryKey: ['users', 'import', id],
    queryFn: ({ signal }) => ask(getUserImport({ path: { id }, signal })),
    staleTime: 0,
    refetchInterval: (query) => (!query.state.data || query.state.data.state === 'running' ? 700 : false),
  });

// changed shows what a change has made of a user, and asks for the lists again.
export function changed(user?: User): void {
  if (user) {
    queries.setQueryData(userQuery(user.id).queryKey, user);
  }
  void queries.invalidateQueries({ queryKey: ['users', 'list'] });
}

export const exportAddress = (passwords: boolean, disabled: boolean, separator: 'comma' | 'semicolon') =>
  `/api/v1/users/export.csv?${new URLSearchParams({ passwords: String(passwords), disabled: String(disabled), separator }).toString()}`;
