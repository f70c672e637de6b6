import { Button, Checkbox, NativeSelect, Stack, Table, Text } from '@mantine/core';
import { useTranslation } from 'react-i18next';

import type { DirectoryChange, DirectoryDecision, DirectoryMatch } from '../api';
import { formatNumber, plain } from '../format';
import classes from './Directories.module.css';
import { useRoleName } from './roles';

// Choice is what somebody has chosen about a person of the directory.
export interface Choice {
  user: string; // id of the user who is the same; 'new': somebody else; '': undecided
  confirmed: boolean; // a higher role was seen
}

export type Choices = Record<string, Choice>;

const undecided: Choice = { user: '', confirmed: false };

const chosen = (c: DirectoryChange, choice: Choice) => c.matches?.find((m) => m.user === choice.user);

// unconfirmed reports whether a higher role still has to be confirmed.
export function unconfirmed(changes: DirectoryChange[], choices: Choices): boolean {
  return changes.some((c) => {
    const choice = choices[c.person ?? ''];
    return choice !== undefined && chosen(c, choice)?.higher === true && !choice.confirmed;
  });
}

// decisions are the choices as they are sent.
export function decisions(changes: DirectoryChange[], choices: Choices): DirectoryDecision[] {
  return changes.flatMap((c) => {
    const choice = choices[c.person ?? ''];
    if (!c.person || !choice?.user) return [];
    if (choice.user === 'new') return [{ person: c.person }];
    const role = choice.confirmed ? chosen(c, choice)?.now.role : undefined;
    return [{ person: c.person, user: choice.user, ...(role && { role }) }];
  });
}

// plainly is the user whom one may take for the same without a second thought: the only
// one who matches, of the same name and with no more rights than everybody.
const plainly = (c: DirectoryChange) => {
  const only = c.matches?.length === 1 ? c.matches[0] : undefined;
  return only?.login && !only.higher && !only.last ? only.user : undefined;
};

// Matches lists whom somebody has to decide about: users here who may be the same as
// somebody in the directory.
export function Matches({ changes, choices, choose }: { changes: DirectoryChange[]; choices: Choices; choose: (next: Choices) => void }) {
  const { t, i18n } = useTranslation();
  const same = changes.filter((c) => plainly(c) && !choices[c.person ?? '']?.user);
  const takeAll = () => choose({ ...choices, ...Object.fromEntries(same.map((c) => [c.person, { user: plainly(c) ?? '', confirmed: false }])) });
  return (
    <Stack gap="xs" data-testid="directory-matches">
      <Text size="sm" fw={600}>{t('directories.match.title', { count: changes.length, number: formatNumber(changes.length, i18n.language) })}</Text>
      <Text size="sm" c="dimmed">{t('directories.match.hint')}</Text>
      {same.length > 1 && <div><Button size="xs" variant="default" onClick={takeAll}>{t('directories.match.takeAll', { number: formatNumber(same.length, i18n.language) })}</Button></div>}
      <div className={classes.scroll}>
        <Table aria-label={t('directories.match.label')} verticalSpacing="xs" className={classes.matches}>
          <Table.Thead><Table.Tr><Table.Th>{t('directories.match.inDirectory')}</Table.Th><Table.Th>{t('directories.match.here')}</Table.Th><Table.Th>{t('directories.match.decision')}</Table.Th></Table.Tr></Table.Thead>
          <Table.Tbody>
            {changes.slice(0, 200).map((c) => <Match key={c.person} change={c} choice={choices[c.person ?? ''] ?? undecided} set={(choice) => choose({ ...choices, [c.person ?? '']: choice })} />)}
          </Table.Tbody>
        </Table>
      </div>
      {changes.length > 200 && <Text size="sm" c="dimmed">{t('directories.moreChanges', { count: changes.length - 200 })}</Text>}
    </Stack>
  );
}

function Match({ change: c, choice, set }: { change: DirectoryChange; choice: Choice; set: (choice: Choice) => void }) {
  const { t } = useTranslation();
  const role = useRoleName();
  const matches = c.matches ?? [];
  const now = chosen(c, choice);
  const who = plain(c.who);
  const options = [
    { value: '', label: t('directories.match.undecided') },
    ...matches.map((m) => ({ value: m.user, label: t('directories.match.same', { user: plain(m.now.login) }), disabled: m.last === true })),
    ...(c.after ? [{ value: 'new', label: t('directories.match.other') }] : []),
  ];
  return (
    <Table.Tr>
      <Table.Td className={classes.breakable} data-label={t('directories.match.inDirectory')}>{who}<Text size="sm" c="dimmed">{plain(matches[0]?.after.name ?? '')}</Text></Table.Td>
      <Table.Td className={classes.breakable} data-label={t('directories.match.here')}>{matches.map((m) => <Here key={m.user} match={m} />)}</Table.Td>
      <Table.Td className={classes.decision}>
        <NativeSelect aria-label={t('directories.match.decisionFor', { who })} data={options} value={choice.user} onChange={(e) => set({ user: e.currentTarget.value, confirmed: false })} />
        {now?.password && <Text size="sm" c="dimmed" mt={4}>{t('directories.match.password')}</Text>}
        {now && now.after.login !== now.now.login && <Text size="sm" c="dimmed" mt={4}>{t('directories.from', { what: t('directories.user'), before: plain(now.now.login), after: plain(now.after.login) })}</Text>}
        {now && now.after.role !== now.now.role && <Text size="sm" c="dimmed" mt={4}>{t('directories.from', { what: t('directories.role'), before: role(now.now.role), after: role(now.after.role) })}</Text>}
        {now?.higher && <Checkbox mt={6} checked={choice.confirmed} onChange={(e) => set({ ...choice, confirmed: e.currentTarget.checked })} label={t('directories.match.higher', { user: plain(now.now.login), role: role(now.now.role) })} />}
      </Table.Td>
    </Table.Tr>
  );
}

function Here({ match: m }: { match: DirectoryMatch }) {
  const { t } = useTranslation();
  const role = useRoleName();
  const why = [...(m.login ? [t('directories.match.byLogin')] : []), ...(m.addresses?.length ? [t('directories.match.byAddress', { addresses: m.addresses.map(plain).join(', ') })] : [])];
  return (
    <div className={classes.match}>
      {plain(m.now.login)}
      <Text size="sm">{plain(m.now.name)}, {role(m.now.role)}{m.now.disabled ? `, ${t('directories.match.disabled')}` : ''}</Text>
      <Text size="sm" c="dimmed">{why.join('; ')}</Text>
      {m.last && <Text size="sm" c="var(--m-bad)">{t('directories.match.last')}</Text>}
    </div>
  );
}
