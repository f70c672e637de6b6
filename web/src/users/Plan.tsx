import { Badge, Paper, Table, Text, Title } from '@mantine/core';
import { useTranslation } from 'react-i18next';

import type { UserImportPlan, UserImportProblem } from '../api';
import { plain } from '../format';
import classes from './Users.module.css';
import { textOf } from './wrong';

// shown bounds the lines of a table: more would make the page slow.
const shown = 200;

const columns = ['login', 'password', 'firstName', 'lastName'] as const;

// ProblemTable lists what is wrong, or worth knowing, by line and column.
export function ProblemTable({ title, problems }: { title: string; problems: readonly UserImportProblem[] }) {
  const { t } = useTranslation();
  return (
    <Paper withBorder radius="md" className={`${classes.panel} ${classes.problems}`} tabIndex={0} role="region" aria-label={title}>
      <Title order={2} size="h5" p="md" pb={4}>{title}</Title>
      <Table aria-label={title} verticalSpacing={8}>
        <Table.Thead>
          <Table.Tr><Table.Th>{t('users.place')}</Table.Th><Table.Th>{t('users.what')}</Table.Th></Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {problems.slice(0, shown).map((p, i) => (
            <Table.Tr key={i}>
              <Table.Td className={classes.place}>
                {p.line > 0 ? t('users.line', { line: p.line }) : t('users.file')}
                {p.column > 0 && <Text size="xs" c="dimmed">{t('users.field', { number: p.column, name: t(`users.${columns[p.column - 1] ?? 'address'}`) })}</Text>}
              </Table.Td>
              <Table.Td className={classes.breakable}>{textOf(t, p.code, p.args, p.text)}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
      {problems.length > shown && <Text size="sm" c="dimmed" p="md">{t('users.moreLines', { count: problems.length - shown })}</Text>}
    </Paper>
  );
}

const colours = { create: 'green', update: 'blue', same: 'gray' } as const;

// PlanTable lists what the import does with each line.
export function PlanTable({ plan }: { plan: UserImportPlan }) {
  const { t } = useTranslation();
  return (
    <Paper withBorder radius="md" className={`${classes.panel} ${classes.problems}`} tabIndex={0} role="region" aria-label={t('users.preview')}>
      <Title order={2} size="h5" p="md" pb={4}>{t('users.preview')}</Title>
      <Table aria-label={t('users.preview')} verticalSpacing={8}>
        <Table.Thead>
          <Table.Tr><Table.Th>{t('users.place')}</Table.Th><Table.Th>{t('users.login')}</Table.Th><Table.Th>{t('users.addresses')}</Table.Th><Table.Th>{t('users.act')}</Table.Th></Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {plan.users.slice(0, shown).map((u) => (
            <Table.Tr key={u.line}>
              <Table.Td className={classes.place}>{t('users.line', { line: u.line })}</Table.Td>
              <Table.Td className={classes.breakable}>{u.login}<Text size="xs" c="dimmed">{plain(u.name)}</Text></Table.Td>
              <Table.Td className={classes.breakable}>{u.addresses.join(', ')}</Table.Td>
              <Table.Td><Badge color={colours[u.act]} variant="light" styles={{ label: { color: 'var(--mantine-color-text)' } }}>{t(`users.acts.${u.act}`)}</Badge><Text size="xs" c="dimmed">{t(`users.passwordKind.${u.password}`)}</Text></Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
      {plan.users.length > shown && <Text size="sm" c="dimmed" p="md">{t('users.moreLines', { count: plan.users.length - shown })}</Text>}
    </Paper>
  );
}
