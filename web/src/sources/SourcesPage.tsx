import { Alert, Button, Group, Paper, Skeleton, Stack, Text, Title, VisuallyHidden } from '@mantine/core';
import { useMediaQuery } from '@mantine/hooks';
import { useMutation, useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { IconInfoCircle, IconMailDown, IconPlus } from '@tabler/icons-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';

import { fetchNow, type Source } from '../api';
import { ask } from '../failure';
import { queries, sourcesQuery } from '../queries';
import { FailureNote } from '../shell/Failure';
import { Titled } from '../shell/ManualLink';
import { useLate } from '../shell/useLate';
import { useAccount, useTitle } from '../shell/usePage';
import { refreshEvery } from './health';
import { SourceCards, SourceTable } from './SourceList';
import classes from './Sources.module.css';

// SourcesPage shows an administrator where mail comes from and what is wrong.
export function SourcesPage() {
  const { t } = useTranslation();
  useTitle(t('sources.title'));
  const allowed = useAccount().role === 'tenant-admin';
  const [askedAt, setAskedAt] = useState(Date.now); // who comes here may just have changed a mailbox
  const sources = useQuery({
    ...sourcesQuery,
    enabled: allowed,
    refetchInterval: (query) => refreshEvery(query.state.data?.sources ?? [], askedAt, Date.now()),
  });
  const late = useLate(allowed && sources.isPending);
  const fetching = useMutation({
    mutationFn: (id: string) => ask(fetchNow({ path: { id } })),
    onSuccess: () => {
      setAskedAt(Date.now());
      void queries.invalidateQueries({ queryKey: sourcesQuery.queryKey });
    },
  });
  const list = sources.data?.sources;
  return (
    <main className={classes.page}>
      <Group justify="space-between" align="flex-end" mb="lg">
        <div>
          <Titled><Title order={1} size="h2">{t('sources.title')}</Title></Titled>
          {allowed && <Text size="sm" c="dimmed" maw={640}>{t('sources.intro')}</Text>}
        </div>
        {list && list.length > 0 && <AddButtons />}
      </Group>
      {!allowed && <Text role="alert">{t('sources.forbidden')}</Text>}
      <Stack gap="md">
        {sources.error && <FailureNote error={sources.error} retry={() => void sources.refetch()} />}
        {sources.data && !sources.data.fetches && list?.some((s) => s.kind === 'mailbox') && (
          <Alert variant="light" color="gray" icon={<IconInfoCircle size={18} aria-hidden />} py={8}>{t('sources.notFetching')}</Alert>
        )}
        {fetching.error && <FailureNote error={fetching.error} />}
        <VisuallyHidden role="status">{fetching.isSuccess ? t('sources.asked') : ''}</VisuallyHidden>
        {late && <Stack gap="xs" aria-hidden>{Array.from({ length: 4 }, (_, i) => <Skeleton key={i} height={48} />)}</Stack>}
        {list?.length === 0 && <Empty />}
        {list && list.length > 0 && <List sources={list} fetch={sources.data?.fetches ? fetching.mutate : undefined} asked={fetching.isPending ? fetching.variables : undefined} />}
      </Stack>
    </main>
  );
}

export type ListProps = { sources: readonly Source[]; fetch: ((id: string) => void) | undefined; asked: string | undefined };

function List(props: ListProps) {
  const narrow = useMediaQuery('(max-width: 1240px)', undefined, { getInitialValueInEffect: false });
  return narrow ? <SourceCards {...props} /> : <SourceTable {...props} />;
}

function AddButtons() {
  const { t } = useTranslation();
  return (
    <Group gap="xs">
      <Button size="sm" variant="default" leftSection={<IconPlus size={16} aria-hidden />} renderRoot={(props) => <Link to="/sources/new" search={{ kind: 'journal' }} {...props} />}>{t('sources.addJournal')}</Button>
      <Button size="sm" variant="default" leftSection={<IconPlus size={16} aria-hidden />} renderRoot={(props) => <Link to="/sources/new" search={{ kind: 'folder' }} {...props} />}>{t('folder.add')}</Button>
      <Button size="sm" leftSection={<IconPlus size={16} aria-hidden />} renderRoot={(props) => <Link to="/sources/new" search={{}} {...props} />}>{t('sources.addMailbox')}</Button>
    </Group>
  );
}

function Empty() {
  const { t } = useTranslation();
  return (
    <Paper withBorder p="xl" radius="md" className={classes.panel}>
      <Stack align="center" gap="sm" ta="center">
        <IconMailDown size={40} stroke={1.2} aria-hidden />
        <Title order={2} size="h4">{t('sources.empty')}</Title>
        <Text size="sm" c="dimmed" maw={480}>{t('sources.emptyHint')}</Text>
        <AddButtons />
      </Stack>
    </Paper>
  );
}
