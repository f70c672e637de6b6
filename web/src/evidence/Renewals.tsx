import { Button, Group, Stack, Text } from '@mantine/core';
import { useMutation, useQuery } from '@tanstack/react-query';
import { IconRefresh } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';

import { renewNow, type EvidenceRenewal, type RenewalRun, type Sealing } from '../api';
import { ask } from '../failure';
import { formatDateTime, formatNumber, plain } from '../format';
import { queries } from '../queries';
import { FailureNote } from '../shell/Failure';
import { useAccount } from '../shell/usePage';
import { Section } from '../smarthost/SmarthostPage';
import classes from './Evidence.module.css';
import { renewalsQuery, sealingQuery } from './queries';
import { TroubleDetails } from './StampFacts';

// Renewals tells which time stamps come near their end, and has them renewed.
export function Renewals({ sealing }: { sealing: Sealing }) {
  const { t } = useTranslation();
  const active = sealing.seals && sealing.evidence.authorities.length > 0;
  const list = useQuery({ ...renewalsQuery, enabled: active });
  const run = useMutation({
    mutationFn: (all: boolean) => ask<RenewalRun>(renewNow({ body: { all } })),
    onSettled: async () => {
      await queries.invalidateQueries({ queryKey: renewalsQuery.queryKey });
      await queries.invalidateQueries({ queryKey: sealingQuery.queryKey });
    },
  });
  return (
    <Section id="renewals" title={t('evidence.renewals')}>
      <Stack gap="xs" align="flex-start">
        <Text size="sm" c="dimmed">{t('evidence.renewalsHint', { certificate: sealing.renew_certificate, algorithm: sealing.renew_algorithm })}</Text>
        {list.error && <FailureNote error={list.error} retry={() => void list.refetch()} />}
        {list.data && list.data.renewals.length === 0 && <Text size="sm">{t('evidence.noRenewals')}</Text>}
        {list.data && list.data.renewals.length > 0 && <ul className={classes.list}>{list.data.renewals.map((r) => <Renewal key={r.batch} renewal={r} />)}</ul>}
        <Group gap="xs">
          <Button variant="default" leftSection={<IconRefresh size={16} aria-hidden />} disabled={!active || (list.data?.due ?? 0) === 0} loading={run.isPending} onClick={() => run.mutate(false)}>{t('evidence.renewDue')}</Button>
          <Button variant="subtle" disabled={!active || run.isPending} onClick={() => run.mutate(true)}>{t('evidence.renewAll')}</Button>
        </Group>
        <Text size="xs" c="dimmed">{t('evidence.renewAllHint')}</Text>
        {run.data && <Outcome run={run.data} />}
        {run.data?.problem && <TroubleDetails problem={run.data.problem} />}
        {run.error && <FailureNote error={run.error} />}
      </Stack>
    </Section>
  );
}

function Outcome({ run: r }: { run: RenewalRun }) {
  const { t } = useTranslation();
  return (
    <Text size="sm" role="status">
      {r.running ? t('evidence.renewalRunning') : t('evidence.renewalDone', { count: r.stamps })}
      {r.left_out > 0 ? ` ${t('evidence.renewalLeftOut', { count: r.left_out })}` : ''}
    </Text>
  );
}

function Renewal({ renewal: r }: { renewal: EvidenceRenewal }) {
  const { t, i18n } = useTranslation();
  const zone = useAccount().tenant?.zone;
  const at = (iso: string) => formatDateTime(iso, i18n.language, zone);
  return (
    <li>
      <Text size="sm" fw={600}>{t('evidence.renewalOf', { date: at(r.stamped), authority: plain(r.authority) })}</Text>
      <Text size="sm">{t(r.due ? 'evidence.renewalNow' : r.from ? 'evidence.renewalFrom' : 'evidence.renewalNever', { date: r.from ? at(r.from) : '' })}{r.reason === 'none' ? '' : ` ${t(`evidence.renewalWhy.${r.reason}`)}`}{r.end ? ` ${t('evidence.renewalUntil', { date: at(r.end) })}` : ''}</Text>
      <Text size="xs" c="dimmed">{t('evidence.renewalProves', { count: r.batches, objects: formatNumber(r.objects, i18n.language) })}</Text>
    </li>
  );
}
