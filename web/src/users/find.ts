import type { User } from '../api';
import { searchable, wordsOf } from '../fold';

// matching keeps the users in whose login, names or addresses every word occurs, with or without
// marks on the letters.
export function matching(users: readonly User[], text: string): User[] {
  const words = wordsOf(text);
  if (words.length === 0) {
    return [...users];
  }
  return users.filter((u) => {
    const hay = searchable([u.login, u.name, u.first_name, u.last_name, ...u.addresses]);
    return words.every((w) => hay.includes(w));
  });
}

export type UserState = 'active' | 'expired' | 'disabled';

export const stateOf = (u: User): UserState => (u.disabled ? 'disabled' : u.expired ? 'expired' : 'active');

// base64 writes bytes as the interface takes them, in pieces that fit the stack.
export function base64(bytes: Uint8Array): string {
  const piece = 0x8000;
  let text = '';
  for (let i = 0; i < bytes.length; i += piece) {
    text += String.fromCharCode(...bytes.subarray(i, i + piece));
  }
  return btoa(text);
}
