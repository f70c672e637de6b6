import { Button, Group, Paper, SimpleGrid, Skeleton, Stack, Text, Title } from '@mantine/core';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { IconRefresh } from '@tabler/icons-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';

import { formatDateTime } from '../format';
import { dashboardQuery } from '../queries';
import { FailureNote } from '../shell/Failure';
import { Titled } from '../shell/ManualLink';
import { useLate } from '../shell/useLate';
import { useAccount, useTitle } from '../shell/usePage';
import { Limit } from '../tenants/Parts';
import { Alarms } from './Alarms';
import { Figures } from './Figures';
import { Growth } from './Growth';
import type { Unit } from './periods';
import classes from './OverviewPage.module.css';
import { Tops } from './Tops';

const every = 30_000; // milliseconds; a tab that nobody sees does not ask

// OverviewPage shows what somebody looks after at a glance: counts, sizes and what needs
// attention, never mail.
export function OverviewPage() {
  const { t, i18n } = useTranslation();
  useTitle(t('admin.title'));
  const account = useAccount();
  const allowed = account.role === 'tenant-admin' || account.role === 'operator' || account.role === 'reseller';
  const [unit, setUnit] = useState<Unit>('day');
  const board = useQuery({ ...dashboardQuery(unit), enabled: allowed, refetchInterval: every, refetchIntervalInBackground: false, placeholderData: keepPreviousData });
  const late = useLate(allowed && board.isPending);
  const of = board.data;
  return (
    <main className={classes.page}>
      <Group justify="space-between" mb="lg">
        <Titled><Title order={1} size="h2">{t('admin.title')}</Title></Titled>
        {of && (
          <Group gap="xs">
            <Text size="xs" c="dimmed">{t('admin.updated', { time: formatDateTime(of.at, i18n.language, account.tenant?.zone) })}</Text>
            <Button size="xs" variant="default" leftSection={<IconRefresh size={16} aria-hidden />} loading={board.isFetching} onClick={() => void board.refetch()}>{t('admin.reload')}</Button>
          </Group>
        )}
      </Group>
      {!allowed && <Text role="alert">{t('admin.forbidden')}</Text>}
      {board.error && <FailureNote error={board.error} retry={() => void board.refetch()} />}
      {late && <SimpleGrid cols={{ base: 1, xs: 2, md: 3 }} aria-hidden>{Array.from({ length: 6 }, (_, i) => <Skeleton key={i} height={104} />)}</SimpleGrid>}
      {of && (
        <>
          <Alarms of={of} />
          <Figures of={of} />
          {of.limits.length > 0 && (
            <Paper withBorder p="md" radius="md" component="section" aria-labelledby="limits" className={classes.figure} mb="lg">
              <Title order={2} size="h5" id="limits" mb="xs">{t('board.limits')}</Title>
              <Stack gap="sm">{of.limits.map((l) => <Limit key={l.what} use={l} />)}</Stack>
            </Paper>
          )}
          <Growth of={of} unit={unit} choose={setUnit} />
          <Tops of={of} />
        </>
      )}
    </main>
  );
}
