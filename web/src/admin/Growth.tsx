import { Button, Group, Paper, SegmentedControl, Table, Text, Title } from '@mantine/core';
import { IconChartBar, IconTable } from '@tabler/icons-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';

import type { Dashboard } from '../api';
import { formatNumber, formatSize } from '../format';
import { Chart } from './Chart';
import { nameOf, received, units, type Unit } from './periods';
import classes from './OverviewPage.module.css';

type What = 'messages' | 'storage';

// Growth shows what came in by day, week, month or year, as a chart or as a table.
export function Growth({ of, unit, choose }: { of: Dashboard; unit: Unit; choose: (unit: Unit) => void }) {
  const { t } = useTranslation();
  const [what, setWhat] = useState<What>('messages');
  const [table, setTable] = useState(false);
  return (
    <Paper withBorder p="md" radius="md" component="section" aria-labelledby="growth" className={classes.figure}>
      <Group justify="space-between" mb="xs">
        <Title order={2} size="h5" id="growth">{t('board.growth')}</Title>
        <Button size="xs" variant="subtle" color="gray" leftSection={table ? <IconChartBar size={16} aria-hidden /> : <IconTable size={16} aria-hidden />} onClick={() => setTable(!table)}>
          {t(table ? 'board.chart' : 'board.table')}
        </Button>
      </Group>
      <Group gap="sm" mb="md">
        <SegmentedControl size="xs" value={unit} onChange={(v) => choose(v as Unit)} data={units.map((u) => ({ value: u, label: t(`board.unit.${u}`) }))} aria-label={t('board.by')} />
        {!table && <SegmentedControl size="xs" value={what} onChange={(v) => setWhat(v as What)} data={(['messages', 'storage'] as const).map((w) => ({ value: w, label: t(`board.what.${w}`) }))} aria-label={t('board.whatLabel')} />}
      </Group>
      {table ? <GrowthTable of={of} /> : <GrowthChart key={of.by} of={of} what={what} />}
      <Text size="xs" c="dimmed" mt="xs">{t('board.utc')}</Text>
    </Paper>
  );
}

function GrowthChart({ of, what }: { of: Dashboard; what: What }) {
  const { t, i18n } = useTranslation();
  const language = i18n.language;
  const total = received(of.growth, of.raw_bytes);
  const marks = of.growth.map((p, i) => {
    const name = nameOf(of.by, p.from, language, true);
    const text = what === 'messages'
      ? t('board.pointMessages', { name, messages: t('board.messageCount', { count: p.messages, number: formatNumber(p.messages, language) }), size: formatSize(p.bytes, language) })
      : t(p.stored ? 'board.pointStorage' : 'board.pointReceived', { name, received: formatSize(total[i] ?? 0, language), stored: formatSize(p.stored ?? 0, language) });
    return { name, short: nameOf(of.by, p.from, language, false), text };
  });
  return (
    <>
      {what === 'messages'
        ? <Chart label={t('board.growth')} marks={marks} bars={of.growth.map((p) => p.messages)} scale={(n) => (Number.isInteger(n) ? formatNumber(n, language) : '')} />
        : <Chart label={t('board.growth')} marks={marks} lines={[{ values: total, strong: false }, { values: of.growth.map((p) => p.stored), strong: true }]} scale={(n) => formatSize(n, language)} />}
      {what === 'storage' && (
        <Group gap="md" mt={4}>
          <Text size="xs" c="dimmed"><span className={classes.keyFaint} aria-hidden /> {t('admin.raw')}</Text>
          <Text size="xs" c="dimmed"><span className={classes.keyStrong} aria-hidden /> {t('admin.stored')}</Text>
        </Group>
      )}
    </>
  );
}

function GrowthTable({ of }: { of: Dashboard }) {
  const { t, i18n } = useTranslation();
  const language = i18n.language;
  return (
    <div className={classes.scroll} tabIndex={0} role="region" aria-label={t('board.growth')}>
      <Table striped aria-label={t('board.growth')}>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>{t(`board.unit.${of.by}`)}</Table.Th><Table.Th ta="right">{t('admin.messages')}</Table.Th><Table.Th ta="right">{t('board.size')}</Table.Th><Table.Th ta="right">{t('admin.stored')}</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {[...of.growth].reverse().map((p) => (
            <Table.Tr key={p.from}>
              <Table.Td>{nameOf(of.by, p.from, language, true)}</Table.Td>
              <Table.Td ta="right">{formatNumber(p.messages, language)}</Table.Td>
              <Table.Td ta="right">{formatSize(p.bytes, language)}</Table.Td>
              <Table.Td ta="right">{p.stored ? formatSize(p.stored, language) : '–'}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </div>
  );
}
