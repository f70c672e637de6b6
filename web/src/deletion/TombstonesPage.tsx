import { Button, Group, Paper, Stack, Text, Title } from '@mantine/core';
import { useInfiniteQuery } from '@tanstack/react-query';
import { IconDownload } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';

import classes from '../access/Access.module.css';
import type { Tombstone } from '../api';
import { formatDateTime, formatLastDay, formatSize, plain } from '../format';
import { useClassName } from '../retention/Scope';
import { FailureNote } from '../shell/Failure';
import { Titled } from '../shell/ManualLink';
import { useAccount, useTitle } from '../shell/usePage';
import { mayDelete, tombstonesAddress, tombstonesQuery } from './queries';

// TombstonesPage shows what was deleted.
export function TombstonesPage() {
  const { t } = useTranslation();
  useTitle(t('deletion.tombstones'));
  const allowed = mayDelete(useAccount().role);
  return (
    <main className={classes.page}>
      <Titled><Title order={1} size="h2">{t('deletion.tombstones')}</Title></Titled>
      {allowed ? <Tombstones /> : <Text role="alert" mt="md">{t('access.forbidden')}</Text>}
    </main>
  );
}

function Tombstones() {
  const { t } = useTranslation();
  const state = useInfiniteQuery(tombstonesQuery);
  const list = state.data?.pages.flatMap((p) => p.tombstones) ?? [];
  return (
    <Stack gap="lg" mt="xs">
      <Text size="sm" c="dimmed" maw={640}>{t('deletion.tombstonesIntro')}</Text>
      <Group><Button component="a" href={tombstonesAddress} download variant="default" leftSection={<IconDownload size={16} aria-hidden />}>{t('access.csv')}</Button></Group>
      {state.error && <FailureNote error={state.error} retry={() => void state.refetch()} />}
      {state.data && list.length === 0 && <Text size="sm" c="dimmed">{t('deletion.none')}</Text>}
      <Stack gap="sm">{list.map((x) => <Stone key={x.id} stone={x} />)}</Stack>
      {state.hasNextPage && <Group><Button variant="default" loading={state.isFetchingNextPage} onClick={() => void state.fetchNextPage()}>{t('access.more')}</Button></Group>}
    </Stack>
  );
}

function Stone({ stone: x }: { stone: Tombstone }) {
  const { t, i18n } = useTranslation();
  const zone = useAccount().tenant?.zone;
  const when = (at: string) => formatDateTime(at, i18n.language, zone);
  const className = useClassName();
  const by = (p: { name: string; role: string }) => `${plain(p.name) || '–'} (${t(`role.${p.role as 'auditor'}`)})`;
  return (
    <Paper withBorder radius="md" p="md" className={classes.panel} component="article" aria-label={x.id}>
      <Text className={classes.name}>{x.id}</Text>
      <dl className={classes.facts}>
        <dt>{t('deletion.deleted')}</dt><dd>{when(x.deleted_at)}{!x.finished && ` (${t('deletion.unfinished')})`}</dd>
        <dt>{t('deletion.arrived')}</dt><dd>{when(x.received_at)}, {formatSize(x.size, i18n.language)}</dd>
        <dt>{t('deletion.class')}</dt><dd>{className(x.class)}{x.due && `, ${t('deletion.untilDay', { date: formatLastDay(x.due, i18n.language, zone) })}`}</dd>
        {x.asked_by && <><dt>{t('access.requested')}</dt><dd>{by(x.asked_by)}</dd></>}
        {x.approved_by && <><dt>{t('access.decided')}</dt><dd>{by(x.approved_by)}</dd></>}
        {x.reason && <><dt>{t('access.reason')}</dt><dd>{plain(x.reason)}</dd></>}
      </dl>
    </Paper>
  );
}
