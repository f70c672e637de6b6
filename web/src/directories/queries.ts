import { queryOptions } from '@tanstack/react-query';

import { listDirectories } from '../api';
import { ask } from '../failure';

export const directoriesQuery = queryOptions({
  queryKey: ['directories'],
  queryFn: ({ signal }) => ask(listDirectories({ signal })),
  staleTime: 0,
});
