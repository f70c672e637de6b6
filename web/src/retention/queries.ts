import { queryOptions } from '@tanstack/react-query';

import { getRetention, listHolds, type Account } from '../api';
import { ask } from '../failure';
import { queries } from '../queries';

export const holdsQuery = queryOptions({
  queryKey: ['retention', 'holds'],
  queryFn: ({ signal }) => ask(listHolds({ signal })),
  staleTime: 5_000,
});

export const retentionQuery = queryOptions({
  queryKey: ['retention', 'setting'],
  queryFn: ({ signal }) => ask(getRetention({ signal })),
  staleTime: 5_000,
});

// kept asks again for everything that a hold or a retention changes.
export function kept(): void {
  for (const queryKey of [['retention'], ['access'], ['message']]) {
    void queries.invalidateQueries({ queryKey });
  }
}

// seesHolds reports whether somebody with the role sees and places holds.
export const seesHolds = (role: Account['role']) => role === 'tenant-admin' || role === 'auditor' || role === 'dpo';

// inAWeek is when a request ends if nobody decides.
export const inAWeek = () => new Date(Date.now() + 7 * 24 * 60 * 60 * 1000).toISOString();
