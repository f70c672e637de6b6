import { Alert, Button, Skeleton, Stack, Text, Title } from '@mantine/core';
import { useMutation, useQuery } from '@tanstack/react-query';
import { IconInfoCircle, IconRubberStamp } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';

import { sealNow, type Sealing, type SealingRun } from '../api';
import { ask } from '../failure';
import { formatNumber } from '../format';
import { queries } from '../queries';
import { FailureNote } from '../shell/Failure';
import { Titled } from '../shell/ManualLink';
import { useLate } from '../shell/useLate';
import { useAccount, useTitle } from '../shell/usePage';
import { AuthoritiesForm } from './AuthoritiesForm';
import classes from './Evidence.module.css';
import { EvidenceView } from './EvidencePage';
import { sealingQuery } from './queries';
import { Renewals } from './Renewals';
import { TroubleDetails } from './StampFacts';

// SealingPage lets an operator set which authorities give time stamps, try them, and
// see what waits.
export function SealingPage() {
  const { t } = useTranslation();
  useTitle(t('evidence.sealing'));
  const allowed = useAccount().role === 'operator';
  const state = useQuery({ ...sealingQuery, enabled: allowed, refetchOnMount: 'always' });
  const late = useLate(allowed && state.isPending);
  return (
    <main className={classes.narrow}>
      <Titled><Title order={1} size="h2">{t('evidence.sealing')}</Title></Titled>
      {!allowed && <Text role="alert" mt="md">{t('evidence.operatorOnly')}</Text>}
      {allowed && <Text size="sm" c="dimmed" mb="lg" maw={640}>{t('evidence.sealingIntro')}</Text>}
      <Stack gap="lg">
        {state.error && <FailureNote error={state.error} retry={() => void state.refetch()} />}
        {late && <Stack gap="xs" aria-hidden>{Array.from({ length: 5 }, (_, i) => <Skeleton key={i} height={48} />)}</Stack>}
        {state.data && !state.data.seals && (
          <Alert variant="light" color="gray" icon={<IconInfoCircle size={18} aria-hidden />} py={8}>{t('evidence.notSealing')}</Alert>
        )}
        {state.data && <AuthoritiesForm key={JSON.stringify(state.data.authorities)} sealing={state.data} />}
        {state.data && <EvidenceView evidence={state.data.evidence} />}
        {state.data && <Renewals sealing={state.data} />}
        {state.data && <AtOnce sealing={state.data} />}
      </Stack>
    </main>
  );
}

function AtOnce({ sealing }: { sealing: Sealing }) {
  const { t, i18n } = useTranslation();
  const run = useMutation({
    mutationFn: () => ask<SealingRun>(sealNow()),
    onSettled: () => queries.invalidateQueries({ queryKey: sealingQuery.queryKey }),
  });
  const active = sealing.seals && sealing.evidence.authorities.length > 0;
  return (
    <Stack gap="xs" align="flex-start">
      <Button variant="default" leftSection={<IconRubberStamp size={16} aria-hidden />} disabled={!active} loading={run.isPending} onClick={() => run.mutate()}>{t('evidence.sealNow')}</Button>
      <Text size="xs" c="dimmed">{t('evidence.sealNowHint')}</Text>
      {run.data && <Text size="sm" role="status">{t('evidence.sealed', { objects: formatNumber(run.data.objects, i18n.language), stamped: run.data.stamped, pending: run.data.pending })}</Text>}
      {run.data?.problem && <TroubleDetails problem={run.data.problem} />}
      {run.error && <FailureNote error={run.error} />}
    </Stack>
  );
}
