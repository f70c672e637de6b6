import { Text, UnstyledButton } from '@mantine/core';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';

import type { Party } from '../api';
import classes from './MessagePane.module.css';

const roles = ['from', 'sender', 'reply-to', 'to', 'cc', 'bcc', 'envelope-from', 'envelope-to'] as const;
const few = 6;

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

export function People({ parties }: { parties: readonly Party[] }) {
  const { t } = useTranslation();
  return (
    <dl className={classes.people}>
      {group(parties).map(({ role, people }) => (
        <div key={role} className={classes.role}>
          <dt>{t(`message.role.${role}`)}</dt>
          <dd><Names people={people} /></dd>
        </div>
      ))}
    </dl>
  );
}

function Names({ people }: { people: Party[] }) {
  const { t } = useTranslation();
  const [all, setAll] = useState(false);
  const shown = all ? people : people.slice(0, few);
  const rest = people.length - few;
  return (
    <>
      {shown.map((p, i) => (
        <span key={`${p.address} ${i}`} className={classes.person}>
          <Text span size="sm" fw={p.name ? 500 : 400}>{p.name || p.address}</Text>
          {p.name && <Text span size="xs" c="dimmed"> {'<'}{p.address}{'>'}</Text>}
          {i < shown.length - 1 && ', '}
        </span>
      ))}
      {rest > 0 && (
        <UnstyledButton className={classes.more} aria-expanded={all} onClick={() => setAll(!all)}>
          {all ? t('message.fewerPeople') : t('message.morePeople', { count: rest })}
        </UnstyledButton>
      )}
    </>
  );
}
