// mostChosen is how many messages the server puts into a bundle by their ids.
export const mostChosen = 200;

export type Chosen = ReadonlySet<string>;

export const nothing: Chosen = new Set();

// toggled adds or takes away one message. What does not fit is not chosen.
export function toggled(chosen: Chosen, id: string): Chosen {
  const next = new Set(chosen);
  if (!next.delete(id) && next.size < mostChosen) {
    next.add(id);
  }
  return next;
}

export type Reach = 'none' | 'some' | 'all';

// reach tells how much of what is shown is chosen. All is also what fills the bundle.
export function reach(chosen: Chosen, shown: readonly string[]): Reach {
  const n = shown.filter((id) => chosen.has(id)).length;
  if (n === 0) {
    return 'none';
  }
  return n === shown.length || chosen.size >= mostChosen ? 'all' : 'some';
}

// toggledAll chooses all that is shown, the first ones as far as they fit, or takes
// them away again.
export function toggledAll(chosen: Chosen, shown: readonly string[]): Chosen {
  const next = new Set(chosen);
  if (reach(chosen, shown) === 'all') {
    shown.forEach((id) => next.delete(id));
    return next;
  }
  for (const id of shown) {
    if (next.size >= mostChosen) {
      break;
    }
    next.add(id);
  }
  return next;
}
