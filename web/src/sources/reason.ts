// Why a message stays on a server, as the archive records it: in English, with what the
// server has said.
export type Reason = { key: 'tooLarge'; size: number; limit: number } | { key: 'notDeleted' | 'kept' | 'dots' | 'excluded' } | { key: 'unreadable'; said: string };

const fixed = {
  'archived; not deleted on the server so far': 'notDeleted',
  'archived; kept on the server': 'kept',
  'archived; not deleted, as the server breaks the rules for dots': 'dots',
  'none of its addresses is selected for the archive': 'excluded',
} as const;

// reasonOf recognises a reason; what it does not know is shown as it is.
export function reasonOf(detail: string): Reason | undefined {
  const known = Object.entries(fixed).find(([text]) => text === detail);
  if (known) {
    return { key: known[1] };
  }
  const [, size, limit] = /^too large: (\d+) bytes, the limit is (\d+)$/u.exec(detail) ?? [];
  if (size && limit) {
    return { key: 'tooLarge', size: Number(size), limit: Number(limit) };
  }
  const [, said] = /^message .{1,300}? cannot be fetched: (.*)$/su.exec(detail) ?? [];
  return said === undefined ? undefined : { key: 'unreadable', said };
}

// countIn reads the number with which the text of a step begins, such as
// "12 folders".
export function countIn(text: string): number | undefined {
  const [, n] = /^(\d{1,9}) (?:messages|folders)\b/u.exec(text) ?? [];
  return n === undefined ? undefined : Number(n);
}

// folderIn reads the name of a folder from the address under which the archive keeps
// what stays there (RFC 5092); what is no such address is shown as it is.
export function folderIn(address: string): string {
  const [, name] = /^imap:\/\/[^/]*\/(.+?)(?:;UIDVALIDITY=\d+)?$/u.exec(address) ?? [];
  if (name === undefined) {
    return address.startsWith('pop3://') ? '' : address;
  }
  try {
    return decodeURIComponent(name);
  } catch {
    return name;
  }
}
