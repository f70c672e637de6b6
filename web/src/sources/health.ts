import type { Source } from '../api';

export type Health = 'ok' | 'working' | 'problem' | 'never' | 'disabled' | 'ready' | 'done';

// healthOf tells in one word how a source fares. A problem stays one while the next
// attempt is under way: otherwise the sign would blink.
export function healthOf(source: Source): Health {
  if (source.kind !== 'mailbox') {
    if (source.kind === 'folder' && !source.disabled) {
      return source.folder_state?.problem ? 'problem' : 'ready';
    }
    if (source.kind === 'import' || source.kind === 'upload') {
      return 'done';
    }
    return source.disabled ? 'disabled' : 'ready';
  }
  if (source.disabled) {
    return 'disabled';
  }
  const state = source.state;
  if (state?.problem) {
    return 'problem';
  }
  if (state?.fetching) {
    return 'working';
  }
  return state?.last_at ? 'ok' : 'never';
}

// isCounted reports whether the numbers of a mailbox are known: before the first log-in
// has worked, zeros mean nothing.
export function isCounted(state: Source['state']): state is NonNullable<Source['state']> {
  return state !== undefined && Boolean(state.last_ok_at || state.on_server || state.waiting || state.left);
}

const often = 2_000;
const seldom = 15_000;
const asked = 20_000; // how long a fetch that was asked for may take to begin
const young = 60_000; // how long the first fetch of a new mailbox is awaited

// refreshEvery is the time, in milliseconds, after which the list is asked for again.
export function refreshEvery(sources: readonly Source[], askedAt: number, now: number): number {
  const isNew = (s: Source) => s.kind === 'mailbox' && !s.state?.last_at && Math.abs(now - Date.parse(s.created_at)) < young;
  const busy = sources.some((s) => !s.disabled && (s.state?.fetching || isNew(s)));
  return busy || now - askedAt < asked ? often : seldom;
}
