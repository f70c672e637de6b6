import { Button, Code, Group, Paper, Skeleton, Stack, Text, Title } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { IconDownload } from '@tabler/icons-react';
import { useState, type ReactNode } from 'react';
import { useTranslation } from 'react-i18next';

import type { EventLog } from '../api';
import { formatDateTime, formatNumber } from '../format';
import { FailureNote } from '../shell/Failure';
import { Titled } from '../shell/ManualLink';
import { useLate } from '../shell/useLate';
import { useAccount, useTitle } from '../shell/usePage';
import { AuditPanel } from './AuditPanel';
import { Comparison } from './Comparison';
import classes from './EventLog.module.css';
import { EventList } from './EventList';
import { checkpointAddress, exportAddress, logQuery } from './queries';
import { Receipts } from './Receipts';

// EventLogPage shows what was done in the archive, and proves that nothing of it is
// missing.
export function EventLogPage() {
  const { t } = useTranslation();
  useTitle(t('eventlog.title'));
  const { role } = useAccount();
  const allowed = role === 'tenant-admin' || role === 'auditor' || role === 'dpo' || role === 'operator';
  const log = useQuery({ ...logQuery, enabled: allowed });
  const late = useLate(allowed && log.isPending);
  return (
    <main className={classes.page}>
      <Titled><Title order={1} size="h2">{t('eventlog.title')}</Title></Titled>
      {!allowed && <Text role="alert" mt="md">{t('eventlog.forbidden')}</Text>}
      {allowed && <Text size="sm" c="dimmed" mb="lg" maw={720}>{t('eventlog.intro')}</Text>}
      <Stack gap="lg">
        {log.error && <FailureNote error={log.error} retry={() => void log.refetch()} />}
        {late && <Stack gap="xs" aria-hidden>{Array.from({ length: 5 }, (_, i) => <Skeleton key={i} height={48} />)}</Stack>}
        {log.data && (
          <>
            <State log={log.data} />
            <Comparison />
            <Receipts manage={log.data.manage} />
            {role !== 'operator' && <AuditPanel />}
            <EventList />
          </>
        )}
      </Stack>
    </main>
  );
}

export function Section({ id, title, children }: { id: string; title: string; children: ReactNode }) {
  return (
    <Paper withBorder p="lg" radius="md" component="section" aria-labelledby={id} className={classes.panel}>
      <Title order={2} size="h4" mb="md" id={id}>{title}</Title>
      <Stack gap="md">{children}</Stack>
    </Paper>
  );
}

function State({ log }: { log: EventLog }) {
  const { t, i18n } = useTranslation();
  const zone = useAccount().tenant?.zone;
  const [open, setOpen] = useState(false);
  return (
    <Section id="state" title={t('eventlog.state')}>
      <dl className={classes.figures}>
        <div><dt>{t('eventlog.size')}</dt><dd>{formatNumber(log.size, i18n.language)}</dd></div>
        <div>
          <dt>{t('eventlog.lastReceipt')}</dt>
          <dd>{log.last ? formatDateTime(log.last.made_at, i18n.language, zone) : t('eventlog.noReceipt')}</dd>
        </div>
        {log.last && <div><dt>{t('eventlog.since')}</dt><dd>{formatNumber(log.size - log.last.size, i18n.language)}</dd></div>}
      </dl>
      <Group gap="xs">
        <Button variant="default" size="xs" component="a" href={checkpointAddress} download leftSection={<IconDownload size={16} aria-hidden />}>{t('eventlog.checkpoint')}</Button>
        <Button variant="default" size="xs" component="a" href={exportAddress} download leftSection={<IconDownload size={16} aria-hidden />}>{t('eventlog.export')}</Button>
        <Button variant="subtle" color="gray" size="xs" aria-expanded={open} onClick={() => setOpen(!open)}>{t(open ? 'sources.hideDetails' : 'sources.details')}</Button>
      </Group>
      {open && <Code className={classes.detail}>{t('eventlog.technical', { root: log.root, key: log.key })}</Code>}
    </Section>
  );
}
