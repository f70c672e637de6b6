import { Alert, Group, Skeleton, Stack, Text, Title } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { IconAlertTriangle, IconInfoCircle } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';

import type { Evidence, EvidenceBatch } from '../api';
import { formatDateTime, formatNumber, plain } from '../format';
import { FailureNote } from '../shell/Failure';
import { Titled } from '../shell/ManualLink';
import { useLate } from '../shell/useLate';
import { useAccount, useTitle } from '../shell/usePage';
import { Section } from '../smarthost/SmarthostPage';
import classes from './Evidence.module.css';
import { evidenceQuery } from './queries';
import { StampFacts, TroubleDetails, Verdict } from './StampFacts';

// EvidencePage shows how far the tenant's objects are proven, and by whom.
export function EvidencePage() {
  const { t } = useTranslation();
  useTitle(t('evidence.title'));
  const { role } = useAccount();
  const allowed = role === 'tenant-admin' || role === 'auditor' || role === 'dpo';
  const state = useQuery({ ...evidenceQuery, enabled: allowed });
  const late = useLate(allowed && state.isPending);
  return (
    <main className={classes.narrow}>
      <Titled><Title order={1} size="h2">{t('evidence.title')}</Title></Titled>
      {!allowed && <Text role="alert" mt="md">{t('evidence.forbidden')}</Text>}
      {allowed && <Text size="sm" c="dimmed" mb="lg" maw={640}>{t('evidence.intro')}</Text>}
      <Stack gap="lg">
        {state.error && <FailureNote error={state.error} retry={() => void state.refetch()} />}
        {late && <Stack gap="xs" aria-hidden>{Array.from({ length: 4 }, (_, i) => <Skeleton key={i} height={48} />)}</Stack>}
        {state.data && <EvidenceView evidence={state.data} />}
      </Stack>
    </main>
  );
}

// EvidenceView is what the tenant's page and the operator's have in common.
export function EvidenceView({ evidence: e }: { evidence: Evidence }) {
  const { t, i18n } = useTranslation();
  const zone = useAccount().tenant?.zone;
  const number = (n: number) => formatNumber(n, i18n.language);
  const test = e.batches[0]?.stamps.some((s) => s.test) ?? false;
  return (
    <>
      {e.authorities.length === 0 && <Alert variant="light" color="orange" c="var(--m-demo)" icon={<IconInfoCircle size={18} aria-hidden />} py={8}>{t('evidence.noAuthority')}</Alert>}
      {e.alarm && <Alert variant="light" color="red" role="alert" icon={<IconAlertTriangle size={18} aria-hidden />} py={8}>{t('evidence.alarm')}</Alert>}
      {test && <Alert variant="light" color="orange" c="var(--m-demo)" icon={<IconInfoCircle size={18} aria-hidden />} py={8}>{t('evidence.testOnly')}</Alert>}
      {(e.unread_count > 0 || e.unread_batches.length > 0) && <Unread evidence={e} />}
      <Section id="now" title={t('evidence.now')}>
        <dl className={classes.facts}>
          <div><dt>{t('evidence.unstamped')}</dt><dd>{number(e.waiting + e.pending)}</dd></div>
          {e.oldest && <div><dt>{t('evidence.oldest')}</dt><dd>{formatDateTime(e.oldest, i18n.language, zone)}</dd></div>}
          <div><dt>{t('evidence.interval')}</dt><dd>{t('evidence.minutes', { count: Math.round(e.interval / 60) })}</dd></div>
          <div><dt>{t('evidence.authorities')}</dt><dd>{e.authorities.length > 0 ? plain(e.authorities.join(', ')) : t('evidence.nobody')}</dd></div>
          <div><dt>{t('evidence.hash')}</dt><dd>{e.hash.name} ({e.hash.until ? t('evidence.hashUntil', { date: formatDateTime(e.hash.until, i18n.language, zone) }) : t('evidence.hashOpen')})</dd></div>
          {e.logs.length > 0 && <div><dt>{t('evidence.log')}</dt><dd>{t('evidence.logStamped', logOf(e, number))}</dd></div>}
        </dl>
      </Section>
      <Section id="batches" title={t('evidence.batches')}>
        <Text size="sm" c="dimmed">{t('evidence.batchesHint')}</Text>
        {e.batches.length === 0 && <Text size="sm">{t('evidence.noBatches')}</Text>}
        {e.batches.length > 0 && <ul className={classes.list}>{e.batches.map((b) => <Batch key={b.id} batch={b} />)}</ul>}
      </Section>
    </>
  );
}

// Unread tells what the last renewal could not read, until it is read or deleted.
function Unread({ evidence: e }: { evidence: Evidence }) {
  const { t, i18n } = useTranslation();
  const zone = useAccount().tenant?.zone;
  const operator = useAccount().role === 'operator';
  const more = e.unread_count - e.unread.length;
  return (
    <Alert variant="light" color="red" role="alert" icon={<IconAlertTriangle size={18} aria-hidden />} title={t('evidence.unreadTitle')} data-testid="unread">
      <Text size="sm">{t(operator ? 'evidence.unreadOperator' : 'evidence.unreadTenant')}</Text>
      <ul className={classes.list}>
        {e.unread.map((x) => (
          <li key={x.object}>
            <Text size="sm" className={classes.breakable}>{t('evidence.unreadObject', { id: x.object, date: formatDateTime(x.since, i18n.language, zone) })}{operator ? ` ${t('evidence.unreadOf', { tenant: x.tenant })}` : ''}</Text>
          </li>
        ))}
        {more > 0 && <li><Text size="sm">{t('evidence.unreadMore', { count: more, number: formatNumber(more, i18n.language) })}</Text></li>}
        {e.unread_batches.map((b) => <li key={b.batch}><Text size="sm" className={classes.breakable}>{t('evidence.unreadBatch', { id: b.batch, why: plain(b.why) })}</Text></li>)}
      </ul>
    </Alert>
  );
}

// logOf adds up how much of the event logs has a time stamp.
function logOf(e: Evidence, number: (n: number) => string): { size: string; stamped: string; rest: string } {
  const size = e.logs.reduce((n, l) => n + l.size, 0);
  const stamped = e.logs.reduce((n, l) => n + l.stamped, 0);
  return { size: number(size), stamped: number(stamped), rest: number(Math.max(size - stamped, 0)) };
}

function Batch({ batch: b }: { batch: EvidenceBatch }) {
  const { t, i18n } = useTranslation();
  const zone = useAccount().tenant?.zone;
  const at = (iso: string) => formatDateTime(iso, i18n.language, zone);
  const last = b.stamps[b.stamps.length - 1];
  return (
    <li>
      <Group gap="xs">
        <Text size="sm" fw={600}>{t('evidence.batchOf', { count: b.objects, number: formatNumber(b.objects, i18n.language), date: at(b.created_at) })}</Text>
        {last && <Verdict stamp={last} />}
      </Group>
      {b.state === 'pending' && <Text size="sm" c="dimmed">{t('evidence.batchPending')}{b.next_at && b.attempts > 0 ? ` ${t('evidence.nextTry', { date: at(b.next_at) })}` : ''}</Text>}
      {b.problem && <TroubleDetails problem={b.problem} />}
      {b.stamps.length > 0 && (
        <details>
          <summary><Text span size="sm" className={classes.breakable}>{last && t('evidence.stampedBy', { date: at(last.time), authority: plain(last.authority) })}</Text></summary>
          {b.stamps.map((s) => <StampFacts key={s.number} stamp={s} hash={b.hash} batch={b.id} />)}
        </details>
      )}
    </li>
  );
}
