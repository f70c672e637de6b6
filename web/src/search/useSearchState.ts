import { getRouteApi, useNavigate } from '@tanstack/react-router';
import { useCallback } from 'react';

import type { Order } from '../queries';
import type { SearchState } from '../router';

const route = getRouteApi('/frame/');

export type SearchActions = {
  // search starts another search; the opened message is closed.
  search: (q: string) => void;
  sort: (order: Order) => void;
  // open shows a message. Walking from message to message replaces the address, and
  // so does closing: Back leads out of the message and not through all of them.
  open: (id: string) => void;
  close: () => void;
};

// useSearchState keeps everything that a search shows in the address.
export function useSearchState(): SearchActions & { q: string; order: Order; id: string | undefined; grant: string | undefined } {
  const state = route.useSearch();
  const navigate = useNavigate();
  const { id } = state;
  const go = useCallback(
    (change: (old: SearchState) => SearchState, replace = false) => void navigate({ to: '/', search: change, replace }),
    [navigate],
  );
  const search = useCallback((q: string) => go((old) => without({ ...old, q }, ['id', 'view'])), [go]);
  const sort = useCallback((order: Order) => go((old) => without({ ...old, order }, ['id', 'view'])), [go]);
  const open = useCallback((next: string) => go((old) => ({ ...old, id: next }), id !== undefined), [go, id]);
  const close = useCallback(() => go((old) => without(old, ['id', 'view']), true), [go]);
  return { q: state.q ?? '', order: state.order === 'oldest' ? 'oldest' : 'newest', id, grant: state.grant, search, sort, open, close };
}

function without(state: SearchState, keys: (keyof SearchState)[]): SearchState {
  const rest = { ...state };
  for (const key of keys) {
    delete rest[key];
  }
  if (rest.q?.trim() === '') {
    delete rest.q;
  }
  if (rest.order === 'newest') {
    delete rest.order;
  }
  return rest;
}
