import type { Party } from '../api';

const roles = ['from', 'sender', 'reply-to', 'to', 'cc', 'bcc', 'envelope-from', 'envelope-to'] as const;

// group collects the parties by role. What the envelope says appears only where it
// tells more than the header fields do.
export function group(parties: readonly Party[]): { role: Party['role']; people: Party[] }[] {
  const named = new Set(parties.filter((p) => !p.role.startsWith('envelope-')).map((p) => p.address.toLowerCase()));
  const senders = new Set(parties.filter((p) => p.role === 'from').map((p) => p.address.toLowerCase()));
  const told = (p: Party) => {
    const address = p.address.toLowerCase();
    if (p.role.startsWith('envelope-')) {
      return named.has(address);
    }
    return (p.role === 'sender' || p.role === 'reply-to') && senders.has(address);
  };
  return roles
    .map((role) => ({ role, people: parties.filter((p) => p.role === role && !told(p)) }))
    .filter((g) => g.people.length > 0);
}
