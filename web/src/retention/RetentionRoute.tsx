import { getRouteApi } from '@tanstack/react-router';

import { RetentionPage } from './RetentionPage';

const route = getRouteApi('/frame/retention');

// RetentionRoute takes the messages that a hold is to be placed on from the address.
export function RetentionRoute() {
  const { messages } = route.useSearch();
  return <RetentionPage messages={messages ? messages.split(' ') : []} />;
}
