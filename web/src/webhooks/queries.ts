import { queryOptions } from '@tanstack/react-query';

import { listDeliveries, listWebhooks } from '../api';
import { ask } from '../failure';
import { queries } from '../queries';

export const webhooksQuery = queryOptions({
  queryKey: ['webhooks'],
  queryFn: ({ signal }) => ask(listWebhooks({ signal })),
  staleTime: 0,
});

// What waits is looked at again at once: somebody has just asked for it to be sent.
export const deliveriesQuery = (id: string) =>
  queryOptions({
    queryKey: ['webhooks', id],
    queryFn: ({ signal }) => ask(listDeliveries({ path: { id }, signal })),
    staleTime: 0,
    refetchInterval: ({ state }) => (state.data?.deliveries.some((d) => d.state === 'waiting') ? 1_000 : 5_000),
  });

export const webhooksAgain = () => void queries.invalidateQueries({ queryKey: webhooksQuery.queryKey });
