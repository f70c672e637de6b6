import { Button, Group, Paper, Table, Text, Title } from '@mantine/core';
import { IconChartBar, IconTable } from '@tabler/icons-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';

import type { Day } from '../api';
import { formatNumber, regional } from '../format';
import classes from './OverviewPage.module.css';

const height = 140;

// Days shows how many messages were stored on each day, as a chart or as a table.
export function Days({ days }: { days: readonly Day[] }) {
  const { t } = useTranslation();
  const [table, setTable] = useState(false);
  const any = days.some((d) => d.count > 0);
  return (
    <Paper withBorder p="md" radius="md" component="section" aria-labelledby="days" className={classes.figure}>
      <Group justify="space-between" mb="md">
        <Title order={2} size="h5" id="days">{t('admin.days')}</Title>
        {any && (
          <Button size="xs" variant="subtle" color="gray" leftSection={table ? <IconChartBar size={16} aria-hidden /> : <IconTable size={16} aria-hidden />} onClick={() => setTable(!table)}>
            {t(table ? 'admin.daysChart' : 'admin.daysTable')}
          </Button>
        )}
      </Group>
      {!any && <Text size="sm" c="dimmed">{t('admin.daysNone')}</Text>}
      {any && (table ? <DayTable days={days} /> : <DayChart days={days} />)}
    </Paper>
  );
}

// useDay names a calendar day, which has no zone.
function useDay(): (day: string, long?: boolean) => string {
  const { i18n } = useTranslation();
  return (day, long) =>
    new Intl.DateTimeFormat(regional(i18n.language), long ? { dateStyle: 'full', timeZone: 'UTC' } : { day: 'numeric', month: 'short', timeZone: 'UTC' }).format(new Date(`${day}T00:00:00Z`));
}

function DayChart({ days }: { days: readonly Day[] }) {
  const { t, i18n } = useTranslation();
  const name = useDay();
  const most = Math.max(...days.map((d) => d.count), 1);
  const first = days[0];
  const last = days[days.length - 1];
  return (
    <>
      <ol className={classes.chart} style={{ height }}>
        {days.map((d) => {
          const label = `${name(d.day, true)}: ${t('admin.dayCount', { count: d.count, number: formatNumber(d.count, i18n.language) })}`;
          return (
            <li key={d.day} title={label}>
              <span className={classes.bar} style={{ height: d.count > 0 ? Math.max(3, (d.count / most) * (height - 20)) : 1 }} data-empty={d.count === 0 || undefined} />
              <span className={classes.hidden}>{label}</span>
            </li>
          );
        })}
      </ol>
      <Group justify="space-between">
        <Text size="xs" c="dimmed">{first && name(first.day)}</Text>
        <Text size="xs" c="dimmed">{last && name(last.day)}</Text>
      </Group>
    </>
  );
}

function DayTable({ days }: { days: readonly Day[] }) {
  const { t, i18n } = useTranslation();
  const name = useDay();
  return (
    <Table striped>
      <Table.Thead><Table.Tr><Table.Th>{t('admin.day')}</Table.Th><Table.Th ta="right">{t('admin.messages')}</Table.Th></Table.Tr></Table.Thead>
      <Table.Tbody>
        {[...days].reverse().map((d) => (
          <Table.Tr key={d.day}><Table.Td>{name(d.day, true)}</Table.Td><Table.Td ta="right">{formatNumber(d.count, i18n.language)}</Table.Td></Table.Tr>
        ))}
      </Table.Tbody>
    </Table>
  );
}
