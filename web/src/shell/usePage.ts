import { useSuspenseQuery } from '@tanstack/react-query';
import { useEffect } from 'react';

import type { Account } from '../api';
import { accountQuery } from '../queries';

// useTitle names the page in the browser's tab and history.
export function useTitle(title: string): void {
  useEffect(() => {
    document.title = title ? `${title} · Muniment` : 'Muniment';
  }, [title]);
}

// useAccount returns who is logged in. Only for components inside the frame, which
// shows nothing before that is known.
export function useAccount(): Account {
  const { data } = useSuspenseQuery(accountQuery);
  if (!data) {
    throw new Error('useAccount outside of a session');
  }
  return data;
}
