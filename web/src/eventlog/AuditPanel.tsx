import { Alert, Button, Group, List, Text } from '@mantine/core';
import { useMutation, useQuery } from '@tanstack/react-query';
import { IconAlertTriangle, IconCircleCheck } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';

import { startAudit, type AuditReport } from '../api';
import { ask } from '../failure';
import { formatDateTime, formatNumber, plain } from '../format';
import { queries } from '../queries';
import { FailureNote } from '../shell/Failure';
import { useAccount } from '../shell/usePage';
import { Section } from './EventLogPage';
import { auditQuery } from './queries';

const shown = 20;

// AuditPanel compares all messages with the log.
export function AuditPanel() {
  const { t } = useTranslation();
  const state = useQuery(auditQuery);
  const start = useMutation({ mutationFn: () => ask(startAudit()), onSuccess: () => queries.invalidateQueries({ queryKey: auditQuery.queryKey }) });
  const running = start.isPending || state.data?.running === true;
  return (
    <Section id="audit" title={t('eventlog.audit')}>
      <Text size="sm" maw={720}>{t('eventlog.auditIntro')}</Text>
      <Group>
        <Button variant="default" loading={running} onClick={() => start.mutate()}>{t('eventlog.auditStart')}</Button>
        {running && <Text size="sm" role="status">{t('eventlog.auditRuns')}</Text>}
      </Group>
      {(start.error ?? state.error) && <FailureNote error={start.error ?? state.error} />}
      {state.data?.failed && !running && <Alert variant="light" color="red" role="alert">{t('eventlog.auditFailed')}</Alert>}
      {state.data?.report && !running && <Report r={state.data.report} />}
    </Section>
  );
}

function Report({ r }: { r: AuditReport }) {
  const { t, i18n } = useTranslation();
  const zone = useAccount().tenant?.zone;
  const good = r.found === 0;
  const number = (n: number) => formatNumber(n, i18n.language);
  return (
    <Alert variant="light" color={good ? 'teal' : 'red'} icon={good ? <IconCircleCheck aria-hidden /> : <IconAlertTriangle aria-hidden />} role={good ? 'status' : 'alert'}
      title={good ? t('eventlog.auditGood') : t('eventlog.auditBad', { count: r.found })}>
      <Text size="sm">{t('eventlog.auditFigures', { messages: number(r.messages), matched: number(r.matched), entries: number(r.entries), date: formatDateTime(r.ended_at, i18n.language, zone) })}</Text>
      {r.receipts > 0 && <Text size="sm">{t('eventlog.auditReceipts', { receipts: number(r.receipts), stamped: number(r.stamped) })}</Text>}
      {!good && <List size="sm" mt="xs">{r.findings.slice(0, shown).map((f, i) => <List.Item key={i}>{t(`eventlog.auditFinding.${f.code}`)} ({plain(f.object)})</List.Item>)}</List>}
      {r.found > shown && <Text size="xs" c="dimmed">{t('eventlog.auditMore')}</Text>}
    </Alert>
  );
}
