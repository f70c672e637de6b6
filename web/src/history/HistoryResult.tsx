import { Alert, List, Paper, Stack, Table, Text } from '@mantine/core';
import { IconAlertOctagon, IconCircleCheck } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';

import type { HistoryFolder, HistoryReport } from '../api';
import { formatDateTime, formatNumber, formatSize, plain } from '../format';
import { useAccount } from '../shell/usePage';
import { ProblemNote } from '../sources/Signs';
import { useReason } from '../sources/useReason';
import classes from '../sources/Sources.module.css';
import { sumOfFolders, wordOfReason } from './words';

const foreseen = ['on_server', 'bytes', 'known', 'offered', 'left', 'due'] as const;
const happened = ['on_server', 'known', 'offered', 'stored', 'duplicate', 'left', 'due', 'intact', 'removed', 'remaining'] as const;
const shownReasons = 50;

// HistoryResult shows the figures of a dry run or a run, folder by folder.
export function HistoryResult({ report: r, running }: { report: HistoryReport; running: boolean }) {
  const { t, i18n } = useTranslation();
  const zone = useAccount().tenant?.zone;
  const sum = sumOfFolders(r.folders);
  const well = r.complete && !running && r.disagreements.length === 0 && !r.problem && sum.left === 0;
  const date = (at: string) => formatDateTime(at, i18n.language, zone);
  return (
    <Stack gap="sm" data-testid="history-result">
      {r.disagreements.map((d) => (
        <Alert key={d.folder} color="red" variant="light" icon={<IconAlertOctagon aria-hidden />} title={t('history.disagree', { folder: plain(d.folder) })}>
          <Text size="sm">{t('history.disagreeText')}</Text>
          <Text size="xs" c="dimmed" mt={4} className={classes.breakable} lang="en">{plain(d.text)}</Text>
        </Alert>
      ))}
      {r.problem && <ProblemNote problem={r.problem} />}
      {!running && !r.complete && r.disagreements.length === 0 && <Text size="sm" role="status">{t('history.incomplete')}</Text>}
      {well && !r.dry_run && (
        <Alert variant="light" color="teal" icon={<IconCircleCheck aria-hidden />} title={t('history.done')} role="status">
          <Text size="sm">{t('history.doneText', { stored: formatNumber(sum.stored, i18n.language), known: formatNumber(sum.known + sum.duplicate, i18n.language), removed: formatNumber(sum.removed, i18n.language), remaining: formatNumber(sum.remaining, i18n.language) })}</Text>
        </Alert>
      )}
      <Text size="sm" fw={600}>{t(r.dry_run ? 'history.foreseen' : 'history.happened', { date: date(r.started_at) })}</Text>
      {r.remove_before && <Text size="sm" c="dimmed">{t('history.before', { date: date(r.remove_before) })}</Text>}
      {r.folders.length > 0 && <Figures folders={r.folders} sum={sum} dryRun={r.dry_run} />}
      <Notes report={r} />
    </Stack>
  );
}

function Figures({ folders, sum, dryRun }: { folders: readonly HistoryFolder[]; sum: HistoryFolder; dryRun: boolean }) {
  const { t, i18n } = useTranslation();
  const columns = dryRun ? foreseen.map((k) => [k, t(`history.dry.${k}`)] as const) : happened.map((k) => [k, t(`history.ran.${k}`)] as const);
  const figure = (f: HistoryFolder, k: (typeof columns)[number][0]) => (k === 'bytes' ? formatSize(f.bytes, i18n.language) : formatNumber(f[k], i18n.language));
  const label = t(dryRun ? 'history.captionDry' : 'history.caption');
  return (
    <Paper withBorder radius="md" className={`${classes.panel} ${classes.scroll}`} tabIndex={0} role="region" aria-label={label}>
      <Table className={classes.table} horizontalSpacing="xs" aria-label={label}>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>{t('history.folder')}</Table.Th>
            {columns.map(([k, name]) => <Table.Th key={k} className={classes.number}>{name}</Table.Th>)}
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {folders.map((f) => (
            <Table.Tr key={f.name}>
              <Table.Td className={classes.breakable} miw={120}>{plain(f.name)}</Table.Td>
              {columns.map(([k]) => <Table.Td key={k} className={`${classes.number} ${classes.when}`}>{figure(f, k)}</Table.Td>)}
            </Table.Tr>
          ))}
        </Table.Tbody>
        <Table.Tfoot>
          <Table.Tr>
            <Table.Th scope="row">{t('history.sum')}</Table.Th>
            {columns.map(([k]) => <Table.Th key={k} className={`${classes.number} ${classes.when}`}>{figure(sum, k)}</Table.Th>)}
          </Table.Tr>
        </Table.Tfoot>
      </Table>
    </Paper>
  );
}

function Notes({ report: r }: { report: HistoryReport }) {
  const { t, i18n } = useTranslation();
  const reasons = r.folders.flatMap((f) => f.reasons.map((x) => ({ ...x, folder: f.name })));
  const sum = sumOfFolders(r.folders);
  const ofMessage = useReason();
  const word = (why: string) => {
    const known = wordOfReason(why);
    return known ? t(`history.why.${known.key}`, { said: plain(known.said) }) : ofMessage(why);
  };
  const kind = (why: string) => (why === 'drafts' || why === 'spam' || why === 'trash' ? t(`history.also.${why}`) : word(why));
  return (
    <>
      {sum.gone + sum.arrived > 0 && <Text size="sm" c="dimmed">{t('history.meanwhile', { gone: formatNumber(sum.gone, i18n.language), arrived: formatNumber(sum.arrived, i18n.language) })}</Text>}
      {r.left_out.length > 0 && <Text size="sm" c="dimmed" className={classes.breakable}>{t('history.leftOut')} {r.left_out.map((l) => `${plain(l.name)} (${kind(l.why)})`).join(', ')}</Text>}
      {reasons.length > 0 && (
        <div>
          <Text size="sm" fw={600}>{t('history.reasons')}</Text>
          <List size="sm">
            {reasons.slice(0, shownReasons).map((x, i) => <List.Item key={i} className={classes.breakable}>{plain([x.folder, x.item].filter(Boolean).join(' '))}: {word(x.why)}</List.Item>)}
          </List>
          {reasons.length > shownReasons && <Text size="sm" c="dimmed">{t('history.moreReasons', { number: formatNumber(reasons.length - shownReasons, i18n.language) })}</Text>}
        </div>
      )}
    </>
  );
}
