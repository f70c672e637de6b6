import { queryOptions } from '@tanstack/react-query';

import { inGrant } from '../access/grant';
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

const evidenceAddress = (id: string, what: string): string => inGrant(`/api/v1/messages/${encodeURIComponent(id)}/${what}`);
export const recordAddress = (id: string): string => evidenceAddress(id, 'evidence.er');
export const bundleAddress = (id: string): string => evidenceAddress(id, 'evidence.zip');
export const inspectionAddress = (id: string, language: string): string =>
  evidenceAddress(id, `inspection.pdf?language=${language.startsWith('de') ? 'de' : 'en'}`);

// exportAddress is that of a proof bundle of all that a query finds; grant names the
// approved request, if it is other people's mail.
export const exportAddress = (q: string, grant?: string): string => {
  const query = new URLSearchParams({ ...(q && { q }), ...(grant && { grant }) }).toString();
  return `/api/v1/export.zip${query && `?${query}`}`;
};

// chosenAddress is that of a proof bundle of these messages.
export const chosenAddress = (ids: readonly string[], grant?: string): string =>
  `/api/v1/export.zip?${new URLSearchParams({ ids: ids.join(','), ...(grant && { grant }) }).toString()}`;

// settable is what a client may say of an authority.
export function settable(authority: SealingAuthority): SealingAuthority {
  const copy = { ...authority };
  delete copy.has_secret;
  delete copy.spent;
  return copy;
}
