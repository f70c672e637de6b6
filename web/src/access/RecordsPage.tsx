import { Button, Group, Paper, Stack, Switch, Text, TextInput, Title } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { useInfiniteQuery, useMutation, useQuery } from '@tanstack/react-query';
import { IconDownload } from '@tabler/icons-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';

import { changeAccessPolicy, type AccessPolicy } from '../api';
import { ask } from '../failure';
import { FailureNote } from '../shell/Failure';
import { Titled } from '../shell/ManualLink';
import { useAccount, useTitle } from '../shell/usePage';
import classes from './Access.module.css';
import { policyQuery, recordsAddress, recordsQuery, settled } from './queries';
import { RecordList } from './RecordList';

const days = /^\d{4}-\d{2}-\d{2}$/u;

// RecordsPage shows the data-protection officer what was read under requests.
export function RecordsPage() {
  const { t } = useTranslation();
  useTitle(t('access.records'));
  const allowed = useAccount().role === 'dpo';
  return (
    <main className={classes.page}>
      <Titled><Title order={1} size="h2">{t('access.records')}</Title></Titled>
      {allowed ? <Records /> : <Text role="alert" mt="md">{t('access.recordsForbidden')}</Text>}
    </main>
  );
}

function Records() {
  const { t } = useTranslation();
  const [address, setAddress] = useState('');
  const [from, setFrom] = useState('');
  const [to, setTo] = useState('');
  const [typed] = useDebouncedValue(address.trim(), 300);
  const filter = { request: '', address: typed, from: days.test(from) ? from : '', to: days.test(to) ? to : '' };
  const state = useInfiniteQuery(recordsQuery(filter));
  const list = state.data?.pages.flatMap((p) => p.records) ?? [];
  return (
    <Stack gap="lg" mt="xs">
      <Text size="sm" c="dimmed" maw={640}>{t('access.recordsIntro')}</Text>
      <Policy />
      <Group align="flex-end">
        <TextInput label={t('access.recordAddress')} value={address} maxLength={320} onChange={(e) => setAddress(e.currentTarget.value)} />
        <TextInput type="date" label={t('access.recordFrom')} value={from} onChange={(e) => setFrom(e.currentTarget.value)} />
        <TextInput type="date" label={t('access.recordTo')} value={to} onChange={(e) => setTo(e.currentTarget.value)} />
        <Button component="a" href={recordsAddress(filter)} download variant="default" leftSection={<IconDownload size={16} aria-hidden />}>{t('access.csv')}</Button>
      </Group>
      {state.error && <FailureNote error={state.error} retry={() => void state.refetch()} />}
      {state.data && list.length === 0 && <Text size="sm" c="dimmed">{t('access.noRecords')}</Text>}
      <RecordList records={list} />
      {state.hasNextPage && <Group><Button variant="default" loading={state.isFetchingNextPage} onClick={() => void state.fetchNextPage()}>{t('access.more')}</Button></Group>}
    </Stack>
  );
}

function Policy() {
  const { t } = useTranslation();
  const policy = useQuery(policyQuery);
  const change = useMutation({ mutationFn: (tell: boolean) => ask<AccessPolicy>(changeAccessPolicy({ body: { tell_people: tell } })), onSettled: settled });
  return (
    <Paper withBorder p="md" radius="md" className={classes.panel}>
      {policy.data && (
        <Switch checked={change.isPending ? change.variables : policy.data.tell_people} onChange={(e) => change.mutate(e.currentTarget.checked)} label={t('access.tell')} description={t('access.tellHint')} />
      )}
      {(policy.error ?? change.error) && <FailureNote error={policy.error ?? change.error} compact />}
    </Paper>
  );
}
