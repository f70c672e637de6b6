import { Button, Paper, Skeleton, Stack, Text, Title } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';

import type { AccessRequest } from '../api';
import { DeletionForm } from '../deletion/RequestDeletion';
import { FailureNote } from '../shell/Failure';
import { Titled } from '../shell/ManualLink';
import { useLate } from '../shell/useLate';
import { useAccount, useTitle } from '../shell/usePage';
import classes from './Access.module.css';
import { mayAccess } from './AccessLink';
import { requestsQuery } from './queries';
import { RequestCard } from './RequestCard';
import { RequestForm } from './RequestForm';

// AccessPage is where access to other people's mail is asked for and decided on.
export function AccessPage() {
  const { t } = useTranslation();
  useTitle(t('access.title'));
  const { role } = useAccount();
  const allowed = mayAccess(role);
  const state = useQuery({ ...requestsQuery, enabled: allowed, refetchOnMount: 'always' });
  const late = useLate(allowed && state.isPending);
  const all = state.data?.requests ?? [];
  const open = all.filter((r) => r.state === 'waiting' || r.state === 'approved');
  const past = all.filter((r) => !open.includes(r));
  return (
    <main className={classes.narrow}>
      <Titled><Title order={1} size="h2">{t('access.title')}</Title></Titled>
      {!allowed && <Text role="alert" mt="md">{t('access.forbidden')}</Text>}
      {allowed && <Text size="sm" c="dimmed" mb="lg" maw={640}>{t(role === 'auditor' ? 'access.introAuditor' : 'access.introDecider')}</Text>}
      {role === 'dpo' && <RecordsLink />}
      {allowed && <Text size="sm" mb="lg"><Link to="/access/tombstones" className={classes.link}>{t('deletion.toTombstones')}</Link></Text>}
      <Stack gap="xl">
        {state.error && <FailureNote error={state.error} retry={() => void state.refetch()} />}
        {late && <Stack gap="xs" aria-hidden>{Array.from({ length: 3 }, (_, i) => <Skeleton key={i} height={120} />)}</Stack>}
        {role === 'auditor' && <RequestForm />}
        {state.data && <Requests id="open" title={t('access.open')} list={open} none={t('access.noOpen')} />}
        {allowed && <AskDeletion />}
        {past.length > 0 && <Requests id="past" title={t('access.past')} list={past} none="" />}
      </Stack>
    </main>
  );
}

// AskDeletion is for those who know messages by their numbers only.
function AskDeletion() {
  const { t } = useTranslation();
  const [opened, setOpened] = useState(false);
  return (
    <section aria-labelledby="ask-deletion">
      <Title order={2} size="h4" mb="sm" id="ask-deletion">{t('deletion.ask')}</Title>
      {opened ? <Paper withBorder p="lg" radius="md" className={classes.panel}><DeletionForm /></Paper> : <Button variant="default" onClick={() => setOpened(true)}>{t('deletion.byNumber')}</Button>}
    </section>
  );
}

function RecordsLink() {
  const { t } = useTranslation();
  return <Text size="sm" mb="lg"><Link to="/access/records" className={classes.link}>{t('access.toRecords')}</Link></Text>;
}

function Requests({ id, title, list, none }: { id: string; title: string; list: readonly AccessRequest[]; none: string }) {
  return (
    <section aria-labelledby={id}>
      <Title order={2} size="h4" mb="sm" id={id}>{title}</Title>
      {list.length === 0 && <Text size="sm" c="dimmed">{none}</Text>}
      <Stack gap="sm">{list.map((r) => <RequestCard key={r.id} request={r} />)}</Stack>
    </section>
  );
}
