import { queryOptions } from '@tanstack/react-query';

import { getEvidence, getMessageEvidence, getRenewals, getSealing, type SealingAuthority } from '../api';
import { ask } from '../failure';

// messageEvidenceQuery asks again as long as the time stamp is to come.
export const messageEvidenceQuery = (id: string) =>
  queryOptions({
    queryKey: ['message-evidence', id],
    queryFn: ({ signal }) => ask(getMessageEvidence({ path: { id }, signal })),
    refetchInterval: (query) => (query.state.data && query.state.data.state !== 'stamped' && query.state.data.authorities ? 15_000 : false),
  });

export const evidenceQuery = queryOptions({
  queryKey: ['evidence'],
  queryFn: ({ signal }) => ask(getEvidence({ signal })),
  refetchInterval: 30_000,
});

export const sealingQuery = queryOptions({
  queryKey: ['sealing'],
  queryFn: ({ signal }) => ask(getSealing({ signal })),
});

export const renewalsQuery = queryOptions({
  queryKey: ['renewals'],
  queryFn: ({ signal }) => ask(getRenewals({ signal })),
});

export const recordAddress = (id: string): string => `/api/v1/messages/${encodeURIComponent(id)}/evidence.er`;
export const bundleAddress = (id: string): string => `/api/v1/messages/${encodeURIComponent(id)}/evidence.zip`;

// settable is what a client may say of an authority.
export function settable(authority: SealingAuthority): SealingAuthority {
  const copy = { ...authority };
  delete copy.has_secret;
  delete copy.spent;
  return copy;
}
