import { Alert, Button, Checkbox, Group, Modal, NativeSelect, Paper, SegmentedControl, Stack, Text, Textarea, TextInput, Title } from '@mantine/core';
import { useDebouncedValue, useMediaQuery } from '@mantine/hooks';
import { useInfiniteQuery, useMutation, useQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { IconInfoCircle, IconSearch, IconX } from '@tabler/icons-react';
import { useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';

import { decideQuarantine, type QuarantineDecided } from '../api';
import { ask } from '../failure';
import { formatNumber } from '../format';
import { FailureNote } from '../shell/Failure';
import { Titled } from '../shell/ManualLink';
import { useAccount, useTitle } from '../shell/usePage';
import { decided, quarantineCountsQuery, quarantineQuery, quarantineStates, type QuarantineFilter } from './queries';
import { QuarantineList } from './QuarantineList';
import classes from './Routing.module.css';

const atOnce = 500; // messages of one decision

// QuarantinePage shows an administrator what was not known to be the customer's.
export function QuarantinePage() {
  const { t } = useTranslation();
  useTitle(t('routing.quarantine'));
  const allowed = useAccount().role === 'tenant-admin';
  const { state = 'waiting', domain = '' } = useSearch({ from: '/frame/quarantine' });
  const [text, setText] = useState('');
  const [q] = useDebouncedValue(text.trim(), 200);
  const filter: QuarantineFilter = { state, q, domain, belongs: domain !== '' };
  return (
    <main className={classes.page}>
      <Titled><Title order={1} size="h2">{t('routing.quarantine')}</Title></Titled>
      {!allowed && <Text role="alert">{t('routing.forbidden')}</Text>}
      {allowed && (
        <>
          <Text size="sm" c="dimmed" mb="md" maw={760}>{t('routing.quarantineIntro')}</Text>
          <Filters state={state} text={text} setText={setText} />
          {domain && <OfDomain domain={domain} />}
          <Entries key={`${state} ${domain} ${q}`} filter={filter} />
        </>
      )}
    </main>
  );
}

function Filters({ state, text, setText }: { state: QuarantineFilter['state']; text: string; setText: (s: string) => void }) {
  const { t, i18n } = useTranslation();
  const navigate = useNavigate();
  const counts = useQuery(quarantineCountsQuery);
  const narrow = useMediaQuery('(max-width: 600px)', undefined, { getInitialValueInEffect: false });
  const label = (s: (typeof quarantineStates)[number]) => (s === 'all' || !counts.data ? t(`routing.state.${s}`) : `${t(`routing.state.${s}`)} (${formatNumber(counts.data[s], i18n.language)})`);
  const states = quarantineStates.map((value) => ({ value, label: label(value) }));
  const go = (value: string) => {
    const wanted = quarantineStates.find((s) => s === value) ?? 'waiting';
    void navigate({ to: '/quarantine', search: wanted === 'waiting' ? {} : { state: wanted }, replace: true });
  };
  return (
    <Group mb="md" gap="md">
      {narrow
        ? <NativeSelect aria-label={t('routing.show')} value={state} onChange={(e) => go(e.currentTarget.value)} data={states} />
        : <SegmentedControl aria-label={t('routing.show')} value={state} onChange={go} data={states} />}
      <TextInput flex="1 1 240px" maw={420} aria-label={t('routing.filter')} placeholder={t('routing.filter')} leftSection={<IconSearch size={16} aria-hidden />} value={text} maxLength={200} onChange={(e) => setText(e.currentTarget.value)} />
    </Group>
  );
}

// useDecision carries out a decision and has everything asked for again.
function useDecision(done: () => void) {
  return useMutation({
    mutationFn: (body: { state: 'released' | 'kept'; ids?: string[]; domain?: string; reason?: string }) => ask<QuarantineDecided>(decideQuarantine({ body })),
    onSuccess: () => {
      decided();
      done();
    },
  });
}

// OfDomain offers to release everything that belongs to a domain.
function OfDomain({ domain }: { domain: string }) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const [count, setCount] = useState<number>();
  const release = useMutation({
    mutationFn: async () => {
      let sum = 0;
      for (let more = true; more; ) {
        const now = await ask<QuarantineDecided>(decideQuarantine({ body: { state: 'released', domain } }));
        sum += now.count;
        more = now.more && now.count > 0;
        setCount(sum);
      }
      return sum;
    },
    onSettled: decided,
  });
  return (
    <Alert variant="light" color="blue" mb="md" icon={<IconInfoCircle size={18} aria-hidden />}>
      <Group justify="space-between">
        <Text size="sm" role="status">{count === undefined ? t('routing.ofDomain', { domain }) : t('routing.releasedCount', { count })}</Text>
        <Group gap="xs">
          <Button size="xs" loading={release.isPending} disabled={release.isSuccess} onClick={() => release.mutate()}>{t('routing.releaseAll')}</Button>
          <Button size="xs" variant="default" leftSection={<IconX size={14} aria-hidden />} onClick={() => void navigate({ to: '/quarantine', search: {}, replace: true })}>{t('routing.showAll')}</Button>
        </Group>
      </Group>
      {release.error && <FailureNote error={release.error} compact />}
    </Alert>
  );
}

function Entries({ filter }: { filter: QuarantineFilter }) {
  const { t } = useTranslation();
  const list = useInfiniteQuery(quarantineQuery(filter));
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const [keeping, setKeeping] = useState(false);
  const [said, setSaid] = useState('');
  const rows = useMemo(() => list.data?.pages.flatMap((p) => p.messages) ?? [], [list.data]);
  const decision = useDecision(() => {
    setChosen(new Set());
    setKeeping(false);
  });
  const ids = rows.filter((r) => chosen.has(r.id) && r.state !== 'released').slice(0, atOnce).map((r) => r.id);
  const decide = (state: 'released' | 'kept', reason: string) =>
    decision.mutate({ state, ids, ...(reason && { reason }) }, { onSuccess: ({ count }) => setSaid(t(state === 'released' ? 'routing.releasedCount' : 'routing.keptCount', { count })) });
  const open = rows.filter((r) => r.state !== 'released');
  return (
    <>
      {list.error && <FailureNote error={list.error} retry={() => void list.refetch()} />}
      {list.data && rows.length === 0 && !list.hasNextPage && <Paper withBorder p="xl" radius="md" className={classes.panel}><Text ta="center" c="dimmed">{t(filter.q || filter.state !== 'waiting' ? 'routing.noneHere' : 'routing.empty')}</Text></Paper>}
      {open.length > 0 && (
        <Checkbox mb="xs" label={t('routing.selectAll')} checked={open.every((r) => chosen.has(r.id))} indeterminate={chosen.size > 0 && !open.every((r) => chosen.has(r.id))} onChange={(e) => setChosen(new Set(e.currentTarget.checked ? open.map((r) => r.id) : []))} />
      )}
      {rows.length > 0 && <QuarantineList rows={rows} chosen={chosen} toggle={(id) => setChosen((old) => { const next = new Set(old); if (!next.delete(id)) next.add(id); return next; })} />}
      {list.hasNextPage && <Button variant="default" mt="md" loading={list.isFetchingNextPage} onClick={() => void list.fetchNextPage()}>{t('routing.more')}</Button>}
      <div role="status"><Text size="sm" mt="xs">{said}</Text></div>
      {decision.error && !keeping && <FailureNote error={decision.error} />}
      {ids.length > 0 && (
        <Group className={classes.sticky} justify="space-between">
          <Text size="sm">{t('routing.chosen', { count: ids.length })}</Text>
          <Group gap="xs">
            <Button variant="default" onClick={() => setKeeping(true)}>{t('routing.keep')}</Button>
            <Button loading={decision.isPending && !keeping} onClick={() => decide('released', '')}>{t('routing.release')}</Button>
          </Group>
        </Group>
      )}
      {keeping && <Keep count={ids.length} close={() => setKeeping(false)} keep={(reason) => decide('kept', reason)} busy={decision.isPending} error={decision.error} />}
    </>
  );
}

function Keep({ count, close, keep, busy, error }: { count: number; close: () => void; keep: (reason: string) => void; busy: boolean; error: unknown }) {
  const { t } = useTranslation();
  const [reason, setReason] = useState('');
  return (
    <Modal opened onClose={close} title={t('routing.keepTitle', { count })} closeButtonProps={{ 'aria-label': t('app.close') }}>
      <Stack>
        <Text size="sm">{t('routing.keepHint')}</Text>
        <Textarea label={t('routing.why')} required autosize minRows={2} maxLength={500} value={reason} onChange={(e) => setReason(e.currentTarget.value)} data-autofocus />
        {Boolean(error) && <FailureNote error={error} compact />}
        <Group justify="flex-end">
          <Button variant="default" onClick={close}>{t('routing.cancel')}</Button>
          <Button disabled={reason.trim() === ''} loading={busy} onClick={() => keep(reason.trim())}>{t('routing.keep')}</Button>
        </Group>
      </Stack>
    </Modal>
  );
}
