import { Text, UnstyledButton } from '@mantine/core';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';

import type { Party } from '../api';
import { plain } from '../format';
import { group } from './group';
import classes from './MessagePane.module.css';

const few = 6;

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
          <Text span size="sm" fw={p.name ? 500 : 400}>{plain(p.name || p.address)}</Text>
          {p.name && <Text span size="xs" c="dimmed"> {'<'}{plain(p.address)}{'>'}</Text>}
          {p.via && <Text span size="xs" c="dimmed"> {t('message.via', { list: plain(p.via) })}</Text>}
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
