import { queryOptions } from '@tanstack/react-query';

import { getSite, type SiteState } from '../api';
import { ask } from '../failure';

// siteQuery looks again every other second while a certificate is being asked for.
export const siteQuery = queryOptions({
  queryKey: ['site'],
  queryFn: ({ signal }): Promise<SiteState> => ask(getSite({ signal })),
  staleTime: 0,
  refetchInterval: (query) => (query.state.data?.obtaining ? 2000 : false),
});
