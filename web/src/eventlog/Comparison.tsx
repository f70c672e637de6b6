import { Alert, Button, Code, FileInput, Group, NativeSelect, Text } from '@mantine/core';
import { useMutation, useQuery } from '@tanstack/react-query';
import { IconAlertTriangle, IconCircleCheck, IconDownload, IconHelp } from '@tabler/icons-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';

import { compareReceipts, type ReceiptComparison } from '../api';
import { ask } from '../failure';
import { formatDateTime, formatDay, formatNumber, plain } from '../format';
import { FailureNote } from '../shell/Failure';
import { useAccount } from '../shell/usePage';
import classes from './EventLog.module.css';
import { Section } from './EventLogPage';
import { consistencyAddress, receiptsQuery } from './queries';

const file = 'file';
const now = 'now';

// Comparison proves that nothing is missing between two receipts.
export function Comparison() {
  const { t, i18n } = useTranslation();
  const receipts = useQuery(receiptsQuery);
  const days = receipts.data?.receipts.map((r) => r.day) ?? [];
  const [chosen, setChosen] = useState<string>();
  const [until, setUntil] = useState(now);
  const [own, setOwn] = useState<File | null>(null);
  const [ownLater, setOwnLater] = useState<File | null>(null);
  const first = chosen ?? days.at(-1) ?? file;
  const read = async (choice: string, kept: File | null) => (choice === file ? await (kept?.text() ?? '') : choice);
  const name = (choice: string, kept: File | null) => (choice === file ? (kept?.name ?? '') : '');
  const compare = useMutation({
    mutationFn: async () => ask(compareReceipts({
      body: { receipts: [await read(first, own), await read(until, ownLater)], names: [name(first, own), name(until, ownLater)] },
    })),
  });
  const day = (value: string) => ({ value, label: t('eventlog.receiptOf', { day: formatDay(value, i18n.language) }) });
  return (
    <Section id="compare" title={t('eventlog.compare')}>
      <Text size="sm" maw={720}>{t('eventlog.compareIntro')}</Text>
      <div className={classes.fields}>
        <NativeSelect label={t('eventlog.earlier')} value={first} onChange={(e) => { setChosen(e.currentTarget.value); compare.reset(); }}
          data={[...days.map(day), { value: file, label: t('eventlog.ownFile') }]} />
        {first === file && <FileInput label={t('eventlog.file')} placeholder={t('eventlog.chooseFile')} accept="application/json,.json" value={own} onChange={(f) => { setOwn(f); compare.reset(); }} clearable clearButtonProps={{ 'aria-label': t('eventlog.removeFile') }} />}
        <NativeSelect label={t('eventlog.later')} value={until} onChange={(e) => { setUntil(e.currentTarget.value); compare.reset(); }}
          data={[{ value: now, label: t('eventlog.now') }, ...days.map(day), { value: file, label: t('eventlog.ownFile') }]} />
        {until === file && <FileInput label={t('eventlog.laterFile')} placeholder={t('eventlog.chooseFile')} accept="application/json,.json" value={ownLater} onChange={(f) => { setOwnLater(f); compare.reset(); }} clearable clearButtonProps={{ 'aria-label': t('eventlog.removeFile') }} />}
      </div>
      <Group><Button onClick={() => compare.mutate()} loading={compare.isPending} disabled={(first === file && !own) || (until === file && !ownLater)}>{t('eventlog.prove')}</Button></Group>
      {compare.error && <FailureNote error={compare.error} />}
      {compare.data && <Outcome c={compare.data} />}
    </Section>
  );
}

const signs = { valid: IconCircleCheck, invalid: IconAlertTriangle, indeterminate: IconHelp };
const colours = { valid: 'teal', invalid: 'red', indeterminate: 'orange' };

function Outcome({ c }: { c: ReceiptComparison }) {
  const { t, i18n } = useTranslation();
  const zone = useAccount().tenant?.zone;
  const [open, setOpen] = useState(false);
  const Sign = signs[c.verdict];
  const [first, last] = [c.receipts.at(0), c.receipts.at(-1)];
  const number = (n: number) => formatNumber(n, i18n.language);
  const codes = [...new Set(c.findings.map((f) => f.code))];
  const detail = plain([...c.receipts.map((r) => `${r.name}: ${r.size} · ${r.time} · ${r.root}\n${r.key}\n${r.stamp} ${r.stamped ?? ''}`), ...c.findings.map((f) => `${f.code}: ${f.text}`)].join('\n'));
  return (
    <Alert variant="light" color={colours[c.verdict]} icon={<Sign aria-hidden />} title={t(`eventlog.verdict.${c.verdict}`)} role={c.verdict === 'invalid' ? 'alert' : 'status'}>
      {c.verdict === 'valid' && first && last && (
        <Text size="sm">{t('eventlog.proven', { from: number(first.size), to: number(last.size), since: formatDateTime(first.time, i18n.language, zone) })}</Text>
      )}
      {first && c.verdict !== 'invalid' && (
        <Text size="sm">
          {t(`eventlog.stamp.${first.stamp}`, { date: first.stamped ? formatDateTime(first.stamped, i18n.language) : '' })}
          {first.test && ` ${t('eventlog.stampTest')}`}
        </Text>
      )}
      {codes.map((code) => <Text size="sm" key={code}>{t(`eventlog.finding.${code}`)}</Text>)}
      <Group gap="xs" mt="xs">
        {c.verdict === 'valid' && first && last && (
          <Button size="compact-sm" variant="default" component="a" download href={consistencyAddress(first.size, last.size)} leftSection={<IconDownload size={14} aria-hidden />}>{t('eventlog.proofFile')}</Button>
        )}
        <Button size="compact-sm" variant="subtle" color="gray" aria-expanded={open} onClick={() => setOpen(!open)}>{t(open ? 'sources.hideDetails' : 'sources.details')}</Button>
      </Group>
      {open && <Code className={classes.detail}>{detail}</Code>}
      {c.verdict === 'valid' && <Text size="xs" c="dimmed" mt="xs">{t('eventlog.trust')}</Text>}
    </Alert>
  );
}
