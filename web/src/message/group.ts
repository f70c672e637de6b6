import type { Party } from '../api';

const roles = [
  'from', 'sender', 'journal-sender', 'reply-to', 'to', 'cc', 'bcc', 'journal-to', 'journal-cc', 'journal-bcc', 'journal-recipient', 'journal-mailbox',
  'envelope-from', 'envelope-to',
] as const;

const fromReport = (role: Party['role']) => role.startsWith('journal-');
const ofEnvelope = (role: Party['role']) => role.startsWith('envelope-') || fromReport(role);

// headerRole is where the header names those whom a report names in a role.
const headerRole: Partial<Record<Party['role'], Party['role']>> = { 'journal-to': 'to', 'journal-cc': 'cc', 'journal-bcc': 'bcc' };

// group collects the parties by role. What the envelope or a journal report says
// appears only where it tells more than the header fields do: another person, another
// role, or the list through which somebody got the message.
export function group(parties: readonly Party[]): { role: Party['role']; people: Party[] }[] {
  const named = new Set(parties.filter((p) => !ofEnvelope(p.role)).map((p) => p.address.toLowerCase()));
  const senders = new Set(parties.filter((p) => p.role === 'from').map((p) => p.address.toLowerCase()));
  const told = (p: Party) => {
    const address = p.address.toLowerCase();
    const same = headerRole[p.role];
    if (same !== undefined) {
      return !p.via && parties.some((o) => o.role === same && o.address.toLowerCase() === address);
    }
    if (ofEnvelope(p.role)) {
      if (p.via) {
        return false;
      }
      return named.has(address);
    }
    return (p.role === 'sender' || p.role === 'reply-to') && senders.has(address);
  };
  return roles
    .map((role) => ({ role, people: parties.filter((p) => p.role === role && !told(p)) }))
    .filter((g) => g.people.length > 0);
}
