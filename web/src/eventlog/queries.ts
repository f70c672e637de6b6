import { infiniteQueryOptions, keepPreviousData, queryOptions } from '@tanstack/react-query';

import { getAudit, getEventLog, getReceiptSettings, listEvents, listReceipts } from '../api';
import { ask } from '../failure';

// groups of events, by what stands before the first dot of their action.
export const groups = ['message', 'session', 'user', 'source', 'domain', 'selection', 'quarantine', 'log', 'tenant'] as const;

export type EventFilter = { group: string; actor: string; object: string; from: string; to: string };

export const logQuery = queryOptions({ queryKey: ['log', 'state'], queryFn: ({ signal }) => ask(getEventLog({ signal })), staleTime: 0 });
export const receiptsQuery = queryOptions({ queryKey: ['log', 'receipts'], queryFn: ({ signal }) => ask(listReceipts({ signal })) });
export const receiptSettingsQuery = queryOptions({ queryKey: ['log', 'settings'], queryFn: ({ signal }) => ask(getReceiptSettings({ signal })), staleTime: 0 });

export const auditQuery = queryOptions({
  queryKey: ['log', 'audit'],
  queryFn: ({ signal }) => ask(getAudit({ signal })),
  staleTime: 0,
  refetchInterval: (query) => (query.state.data?.running ? 1000 : false),
});

export const eventsQuery = (f: EventFilter) =>
  infiniteQueryOptions({
    queryKey: ['log', 'events', f],
    queryFn: ({ pageParam, signal }) => {
      const query = Object.fromEntries(Object.entries(f).filter(([, value]) => value !== ''));
      return ask(listEvents({ query: { limit: 50, ...query, ...(pageParam > 0 && { before: pageParam }) }, signal }));
    },
    initialPageParam: 0,
    getNextPageParam: (page) => page.next ?? null,
    placeholderData: keepPreviousData,
    staleTime: 0,
  });

export const receiptAddress = (day: string) => `/api/v1/log/receipts/${encodeURIComponent(day)}`;
export const checkpointAddress = '/api/v1/log/checkpoint';
export const exportAddress = '/api/v1/log/export';
export const proofAddress = (seq: number) => `/api/v1/events/${seq}/proof`;
export const consistencyAddress = (from: number, to: number) => `/api/v1/log/consistency?from=${from}&to=${to}`;
