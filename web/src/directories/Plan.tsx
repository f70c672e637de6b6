import { Alert, Button, Group, Stack, Table, Text } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { IconAlertTriangle, IconCircleCheck, IconRefresh } from '@tabler/icons-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';

import { previewDirectory, syncDirectory, type DirectoryChange, type DirectoryDecision, type DirectoryPlan } from '../api';
import { ask } from '../failure';
import { formatNumber, plain } from '../format';
import { queries } from '../queries';
import { FailureNote } from '../shell/Failure';
import classes from './Directories.module.css';
import { Notes } from './Finding';
import { decisions, Matches, unconfirmed, type Choices } from './Matches';
import { directoriesQuery } from './queries';
import { useRoleName } from './roles';
import { Trouble } from './Trouble';

// Plan shows what a synchronisation would change, and does it once somebody has seen it.
export function Plan({ id, users }: { id: string; users: number }) {
  const { t } = useTranslation();
  const preview = useMutation({ mutationFn: () => ask<DirectoryPlan>(previewDirectory({ path: { id } })) });
  const sync = useMutation({
    mutationFn: (body: { digest: string; decisions: DirectoryDecision[] }) => ask<DirectoryPlan>(syncDirectory({ path: { id }, body })),
    onSettled: () => void queries.invalidateQueries({ queryKey: directoriesQuery.queryKey }),
  });
  const look = () => {
    sync.reset();
    preview.mutate();
  };
  const plan = sync.data ?? preview.data;
  const failure = sync.error ?? preview.error;
  return (
    <Stack gap="md">
      <Text size="sm" c="dimmed">{t(users === 0 ? 'directories.previewFirst' : 'directories.previewHint')}</Text>
      <Group>
        <Button variant="default" leftSection={<IconRefresh size={16} aria-hidden />} loading={preview.isPending} onClick={look}>{t('directories.preview')}</Button>
        <Text size="sm" c="dimmed" role="status">{preview.isPending || sync.isPending ? t('directories.reading') : ''}</Text>
      </Group>
      {failure && <FailureNote error={failure} />}
      {plan?.problem && <Trouble problem={plan.problem} />}
      {plan?.done && <Alert variant="light" color="teal" py={8} role="status" icon={<IconCircleCheck aria-hidden />}>{t(plan.changes.some((c) => c.kind === 'match') ? 'directories.doneButOpen' : 'directories.done')}</Alert>}
      {plan && !plan.problem && <Changes key={plan.digest} plan={plan} busy={sync.isPending} apply={(list) => sync.mutate({ digest: plan.digest, decisions: list })} />}
    </Stack>
  );
}

function Changes({ plan, busy, apply }: { plan: DirectoryPlan; busy: boolean; apply: (list: DirectoryDecision[]) => void }) {
  const { t, i18n } = useTranslation();
  const [choices, setChoices] = useState<Choices>({});
  const number = (n: number) => formatNumber(n, i18n.language);
  const matches = plan.done ? [] : plan.changes.filter((c) => c.kind === 'match');
  const rest = plan.done ? plan.changes : plan.changes.filter((c) => c.kind !== 'match');
  const decided = decisions(matches, choices);
  const toConfirm = unconfirmed(matches, choices);
  const open = Object.entries(plan.counts).reduce((sum, [kind, n]) => (kind === 'conflict' || kind === 'match' ? sum : sum + n), decided.length);
  const lost = (plan.counts['gone'] ?? 0) + (plan.counts['disabled'] ?? 0);
  return (
    <Stack gap="md" data-testid="directory-plan">
      <Text size="sm">{t('directories.summary', { count: open, number: number(open), same: number(plan.same) })}</Text>
      {plan.guard && !plan.done && <Alert variant="light" color="red" role="alert" icon={<IconAlertTriangle aria-hidden />}>{t('directories.guard', { count: lost, number: number(lost) })}</Alert>}
      {matches.length > 0 && <Matches changes={matches} choices={choices} choose={setChoices} />}
      {rest.length > 0 && (
        <div className={classes.scroll}>
          <Table aria-label={t('directories.changes')} verticalSpacing="xs">
            <Table.Thead><Table.Tr><Table.Th>{t('directories.change')}</Table.Th><Table.Th>{t('directories.user')}</Table.Th><Table.Th>{t('directories.what')}</Table.Th></Table.Tr></Table.Thead>
            <Table.Tbody>{rest.slice(0, 200).map((c, i) => <Change key={`${c.who} ${i}`} change={c} />)}</Table.Tbody>
          </Table>
          {rest.length > 200 && <Text size="sm" c="dimmed" mt="xs">{t('directories.moreChanges', { count: rest.length - 200 })}</Text>}
        </div>
      )}
      <Notes notes={plan.notes} />
      {!plan.done && open > 0 && (
        <div>
          {toConfirm && <Text size="sm" c="var(--m-bad)" mb="xs">{t('directories.match.confirm')}</Text>}
          <Button {...(plan.guard && { color: 'red' })} loading={busy} disabled={toConfirm} onClick={() => apply(decided)}>{t(plan.guard ? 'directories.applyAnyway' : 'directories.apply', { count: open, number: number(open) })}</Button>
        </div>
      )}
    </Stack>
  );
}

function Change({ change: c }: { change: DirectoryChange }) {
  const { t } = useTranslation();
  const role = useRoleName();
  const lines: string[] = [];
  if (c.after && c.before) {
    if (c.after.login !== c.before.login) lines.push(t('directories.from', { what: t('directories.user'), before: c.before.login, after: c.after.login }));
    if (c.after.name !== c.before.name) lines.push(t('directories.from', { what: t('directories.personName'), before: c.before.name, after: c.after.name }));
    if (c.after.role !== c.before.role) lines.push(t('directories.from', { what: t('directories.role'), before: role(c.before.role), after: role(c.after.role) }));
    const before = c.before.addresses;
    const after = c.after.addresses;
    lines.push(...after.filter((a) => !before.includes(a)).map((a) => `+ ${a}`), ...before.filter((a) => !after.includes(a)).map((a) => `− ${a}`));
  } else if (c.after) {
    lines.push(`${c.after.name}, ${role(c.after.role)}`, c.after.addresses.join(', '));
  }
  return (
    <Table.Tr>
      <Table.Td><span className={classes.kind} data-kind={c.kind}>{t(`directories.kinds.${c.kind}`)}</span></Table.Td>
      <Table.Td className={classes.breakable}>{plain(c.who)}</Table.Td>
      <Table.Td className={classes.breakable}>
        {lines.map((l) => <Text key={l} size="sm">{plain(l)}</Text>)}
        {c.reason && <Text size="sm" c={c.kind === 'conflict' ? 'var(--m-bad)' : 'dimmed'}>{t(`directories.reason.${c.reason}`)} {plain((c.refused ?? []).join(', '))}</Text>}
      </Table.Td>
    </Table.Tr>
  );
}
