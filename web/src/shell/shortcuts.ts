import { useEffect, useRef, useSyncExternalStore } from 'react';

const storageKey = 'muniment-shortcuts';
const listeners = new Set<() => void>();

// Single-letter shortcuts can be switched off (WCAG 2.1.4).
export function shortcutsOn(): boolean {
  try {
    return localStorage.getItem(storageKey) !== 'off';
  } catch {
    return true;
  }
}

export function switchShortcuts(on: boolean): void {
  try {
    localStorage.setItem(storageKey, on ? 'on' : 'off');
  } catch {
    // Without storage they stay on.
  }
  listeners.forEach((tell) => tell());
}

export function useShortcutsOn(): boolean {
  return useSyncExternalStore((tell) => {
    listeners.add(tell);
    return () => listeners.delete(tell);
  }, shortcutsOn);
}

export function inField(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || /^(?:INPUT|TEXTAREA|SELECT)$/u.test(target.tagName));
}

// dialogOpen is true while a dialog or an open menu has the keyboard to itself.
function dialogOpen(): boolean {
  return document.querySelector('[role="dialog"],[role="menu"]') !== null;
}

// useKeys calls what belongs to a pressed key, unless somebody types, a dialog is
// open or a modifier is held. Letters fall silent when shortcuts are switched off.
export function useKeys(keys: Record<string, (event: KeyboardEvent) => void>): void {
  const current = useRef(keys);
  useEffect(() => {
    current.current = keys;
  });
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || inField(event.target) || dialogOpen()) {
        return;
      }
      const act = current.current[event.key];
      if (!act || (event.key.length === 1 && !shortcutsOn())) {
        return;
      }
      act(event);
    };
    document.addEventListener('keydown', press);
    return () => document.removeEventListener('keydown', press);
  }, []);
}
