import { Button, Paper, Stack, Table, Text, Title } from '@mantine/core';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';

import { formatNumber, plain, regional } from '../format';
import { isShort, outcomes, sumOf, type Counts, type Outcome, type Row } from './accounts';
import classes from './CompletenessPage.module.css';

type Props = { rows: readonly Row[]; by: 'day' | 'source' };

const many = 300; // rows that are shown at once

// alarming are the outcomes that somebody should look at.
const alarming: readonly Outcome[] = ['quarantined', 'refused', 'left'];

// useDay names a calendar day, which has no zone.
function useDay(): (day: string) => string {
  const { i18n } = useTranslation();
  const format = new Intl.DateTimeFormat(regional(i18n.language), { weekday: 'short', day: '2-digit', month: '2-digit', year: 'numeric', timeZone: 'UTC' });
  return (day) => format.format(new Date(`${day}T00:00:00Z`));
}

function Figure({ counts, outcome }: { counts: Counts; outcome: Outcome }) {
  const { i18n } = useTranslation();
  const count = counts[outcome];
  return <span data-zero={count === 0 || undefined} data-alarm={(count > 0 && alarming.includes(outcome)) || undefined} className={classes.figure}>{formatNumber(count, i18n.language)}</span>;
}

function useShown(rows: readonly Row[]) {
  const [all, setAll] = useState(false);
  return { shown: all ? rows : rows.slice(0, many), more: !all && rows.length > many, showAll: () => setAll(true) };
}

function More({ rows, show }: { rows: readonly Row[]; show: () => void }) {
  const { t, i18n } = useTranslation();
  return <Button variant="default" size="xs" mt="sm" onClick={show}>{t('completeness.more', { number: formatNumber(rows.length, i18n.language) })}</Button>;
}

export function AccountTable({ rows, by }: Props) {
  const { t, i18n } = useTranslation();
  const day = useDay();
  const sum = sumOf(rows);
  const { shown, more, showAll } = useShown(rows);
  const number = (n: number) => formatNumber(n, i18n.language);
  const compared = rows.some((r) => r.counted !== undefined);
  return (
    <>
      <Paper withBorder radius="md" className={`${classes.panel} ${classes.scroll}`} tabIndex={0} role="region" aria-label={t('completeness.caption')}>
        <Table className={classes.table} horizontalSpacing={6} aria-label={t('completeness.caption')}>
          <Table.Thead>
            <Table.Tr>
              {by === 'day' && <Table.Th>{t('completeness.day')}</Table.Th>}
              <Table.Th>{t('completeness.source')}</Table.Th>
              {outcomes.map((o) => <Table.Th key={o} className={classes.number} title={t(`completeness.meaning.${o}`)}>{t(`completeness.outcome.${o}`)}</Table.Th>)}
              <Table.Th className={classes.number}>{t('completeness.offered')}</Table.Th>
              {compared && <Table.Th className={classes.number} title={t('history.countedHint')}>{t('history.counted')}</Table.Th>}
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {shown.map((row) => (
              <Table.Tr key={row.key}>
                {by === 'day' && <Table.Td className={classes.day}>{day(row.day)}</Table.Td>}
                <Table.Td className={classes.source}>{plain(row.name) || t('completeness.unknownSource')}</Table.Td>
                {outcomes.map((o) => <Table.Td key={o} className={classes.number}><Figure counts={row.counts} outcome={o} /></Table.Td>)}
                <Table.Td className={classes.number}>{number(row.offered)}</Table.Td>
                {compared && <Table.Td className={classes.number}>{row.counted !== undefined && <span className={classes.figure} data-alarm={isShort(row) || undefined}>{number(row.counted)}</span>}</Table.Td>}
              </Table.Tr>
            ))}
          </Table.Tbody>
          <Table.Tfoot>
            <Table.Tr className={classes.sum}>
              <Table.Th scope="row" colSpan={by === 'day' ? 2 : 1}>{t('completeness.sum')}</Table.Th>
              {outcomes.map((o) => <Table.Td key={o} className={classes.number}><Figure counts={sum.counts} outcome={o} /></Table.Td>)}
              <Table.Td className={classes.number}>{number(sum.offered)}</Table.Td>
              {compared && <Table.Td />}
            </Table.Tr>
          </Table.Tfoot>
        </Table>
      </Paper>
      {more && <More rows={rows} show={showAll} />}
    </>
  );
}

export function AccountCards({ rows, by }: Props) {
  const { t } = useTranslation();
  const day = useDay();
  const sum = sumOf(rows);
  const { shown, more, showAll } = useShown(rows);
  return (
    <>
      <Stack gap="sm">
        <Card title={t('completeness.sum')} counts={sum.counts} offered={sum.offered} />
        {shown.map((row) => (
          <Card key={row.key} title={plain(row.name) || t('completeness.unknownSource')} counts={row.counts} offered={row.offered} {...(row.counted !== undefined && { counted: row.counted })} {...(by === 'day' && { day: day(row.day) })} />
        ))}
      </Stack>
      {more && <More rows={rows} show={showAll} />}
    </>
  );
}

// Card leaves out what is nought: on a phone, there is no column to be aligned.
function Card({ title, day, counts, offered, counted }: { title: string; day?: string; counts: Counts; offered: number; counted?: number }) {
  const { t, i18n } = useTranslation();
  return (
    <Paper withBorder p="md" radius="md" className={classes.panel} component="article" aria-label={[title, day].filter(Boolean).join(', ')}>
      <Title order={2} size="h5" className={classes.source}>{title}</Title>
      {day && <Text size="xs" c="dimmed">{day}</Text>}
      <dl className={classes.figures}>
        {outcomes.filter((o) => counts[o] > 0).map((o) => <div key={o}><dt>{t(`completeness.outcome.${o}`)}</dt><dd><Figure counts={counts} outcome={o} /></dd></div>)}
        <div><dt>{t('completeness.offered')}</dt><dd>{formatNumber(offered, i18n.language)}</dd></div>
        {counted !== undefined && <div><dt>{t('history.counted')}</dt><dd><span className={classes.figure} data-alarm={counted > offered || undefined}>{formatNumber(counted, i18n.language)}</span></dd></div>}
      </dl>
    </Paper>
  );
}
