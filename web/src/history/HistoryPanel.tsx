import { Alert, Button, Checkbox, Group, NumberInput, Paper, Progress, Stack, Text, Textarea, TextInput, Title } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { IconAlertTriangle, IconInfoCircle } from '@tabler/icons-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';

import { cancelHistory, startHistory, type HistoryReport, type NewHistory } from '../api';
import { ask, hasCode } from '../failure';
import { formatNumber } from '../format';
import { historyQuery } from '../queries';
import { FailureNote } from '../shell/Failure';
import classes from '../sources/Sources.module.css';
import { HistoryResult } from './HistoryResult';
import { confirmable, isNumber, shareOf, sumOfFolders } from './words';

// HistoryPanel archives the whole history of a mailbox: what a dry run finds, then
// the run, which may remove what is old from the server.
export function HistoryPanel({ id }: { id: string }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const history = useQuery(historyQuery(id));
  const again = () => client.invalidateQueries({ queryKey: ['history', id] });
  const start = useMutation({ mutationFn: (body: NewHistory) => ask(startHistory({ path: { id }, body })), onSettled: again });
  const cancel = useMutation({ mutationFn: () => ask(cancelHistory({ path: { id } })), onSettled: again });
  const report = history.data?.report;
  const running = history.data?.running ?? false;
  return (
    <section aria-labelledby="history" style={{ marginTop: 32 }}>
      <Title order={2} size="h4" id="history" mb={4}>{t('history.title')}</Title>
      <Text size="sm" c="dimmed" mb="sm">{t('history.intro')}</Text>
      {hasCode(history.error, 'not-running') && <Text size="sm">{t('failure.not-running')}</Text>}
      {history.error && !hasCode(history.error, 'not-running') && <FailureNote error={history.error} retry={() => void history.refetch()} />}
      {history.data && (
        <Stack gap="md">
          {!running && <Questions start={(asked) => start.mutate(asked)} busy={start.isPending} />}
          {start.error && <FailureNote error={start.error} />}
          {running && report && <Running report={report} cancel={() => cancel.mutate()} cancelling={cancel.isPending} />}
          {report && <HistoryResult report={report} running={running} />}
          {report && !running && confirmable(report) && <Confirm report={report} start={(asked) => start.mutate(asked)} busy={start.isPending} />}
        </Stack>
      )}
    </section>
  );
}

type Asking = { start: (asked: NewHistory) => void; busy: boolean };

function Questions({ start, busy }: Asking) {
  const { t } = useTranslation();
  const [days, setDays] = useState<number | string>('');
  const [also, setAlso] = useState({ drafts: false, spam: false, trash: false });
  const [named, setNamed] = useState('');
  const folders = named.split('\n').map((n) => n.trim()).filter(Boolean);
  const ask = () => start({ dry_run: true, ...(Number(days) > 0 && { remove_older_than_days: Number(days) }), ...(folders.length > 0 ? { folders } : also) });
  return (
    <Paper withBorder radius="md" p="md" className={classes.panel}>
      <Stack gap="sm">
        <NumberInput label={t('history.days')} description={t('history.daysHint')} value={days} onChange={setDays} min={1} max={36500} allowDecimal={false} allowNegative={false} maw={460} />
        <Group gap="md">
          {(['drafts', 'spam', 'trash'] as const).map((k) => (
            <Checkbox key={k} label={t(`history.also.${k}`)} checked={also[k]} disabled={folders.length > 0} onChange={(e) => setAlso({ ...also, [k]: e.currentTarget.checked })} />
          ))}
        </Group>
        <Textarea label={t('history.only')} description={t('history.onlyHint')} value={named} onChange={(e) => setNamed(e.currentTarget.value)} autosize minRows={1} maxRows={6} />
        <Group><Button variant="default" onClick={ask} loading={busy}>{t('history.dryRun')}</Button></Group>
        <Text size="xs" c="dimmed">{t('history.dryRunHint')}</Text>
      </Stack>
    </Paper>
  );
}

function Running({ report, cancel, cancelling }: { report: HistoryReport; cancel: () => void; cancelling: boolean }) {
  const { t, i18n } = useTranslation();
  const sum = sumOfFolders(report.folders);
  const number = (n: number) => formatNumber(n, i18n.language);
  const done = report.dry_run ? sum.listed : sum.known + sum.offered + sum.left;
  return (
    <Paper withBorder radius="md" p="md" className={classes.panel} role="status" aria-live="polite">
      <Stack gap="xs">
        <Text size="sm" fw={600}>{t(report.dry_run ? 'history.counting' : 'history.working')}</Text>
        <Progress value={shareOf(report)} aria-label={t('history.progress')} />
        <Text size="sm">{t('history.sofar', { done: number(done), all: number(Math.max(sum.on_server, done)), removed: number(sum.removed) })}</Text>
        <Group><Button size="xs" variant="default" onClick={cancel} loading={cancelling}>{t('history.cancel')}</Button></Group>
        <Text size="xs" c="dimmed">{t('history.cancelHint')}</Text>
      </Stack>
    </Paper>
  );
}

// Confirm starts the run that a dry run has foreseen. To remove, the number has to
// be typed: nobody does that by accident.
function Confirm({ report, start, busy }: { report: HistoryReport } & Asking) {
  const { t, i18n } = useTranslation();
  const [typed, setTyped] = useState('');
  const { due } = sumOfFolders(report.folders);
  const asked: NewHistory = {
    ...(report.remove_older_than_days > 0 && due > 0 && { remove_older_than_days: report.remove_older_than_days, confirm: due }),
    ...(report.asked.folders.length > 0 && { folders: report.asked.folders }), drafts: report.asked.drafts, spam: report.asked.spam, trash: report.asked.trash,
  };
  if (due === 0) {
    return (
      <Alert variant="light" icon={<IconInfoCircle aria-hidden />} title={t('history.ready')}>
        <Text size="sm" mb="sm">{t('history.removesNothing')}</Text>
        <Button onClick={() => start(asked)} loading={busy}>{t('history.archive')}</Button>
      </Alert>
    );
  }
  const right = isNumber(typed, due);
  const number = formatNumber(due, i18n.language);
  return (
    <Alert variant="light" color="orange" icon={<IconAlertTriangle aria-hidden />}>
      <Text size="sm" fw={600}>{t('history.confirmTitle', { count: due, number })}</Text>
      <Text size="sm" mb="sm">{t('history.confirmText')}</Text>
      <form onSubmit={(e) => {
        e.preventDefault();
        if (right) {
          start(asked);
        }
      }}>
        <Group align="flex-end" gap="sm">
          <TextInput label={t('history.confirmLabel', { number })} value={typed} onChange={(e) => setTyped(e.currentTarget.value)} inputMode="numeric" autoComplete="off" />
          <Button type="submit" color="red" disabled={!right} loading={busy}>{t('history.archiveAndRemove')}</Button>
        </Group>
      </form>
      <Button variant="subtle" size="compact-sm" mt="sm" ml={-8} onClick={() => start({ ...asked, remove_older_than_days: 0, confirm: 0 })}>{t('history.archiveOnly')}</Button>
    </Alert>
  );
}
