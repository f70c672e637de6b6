import { Button, Group, Paper, SimpleGrid, Skeleton, Text, Title } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { IconRefresh } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';

import type { Statistics } from '../api';
import { formatDateTime, formatNumber, formatRelative, formatSize, regional } from '../format';
import { statisticsQuery } from '../queries';
import { FailureNote } from '../shell/Failure';
import { Titled } from '../shell/ManualLink';
import { useLate } from '../shell/useLate';
import { useAccount, useTitle } from '../shell/usePage';
import { Days } from './Days';
import classes from './OverviewPage.module.css';

// OverviewPage shows an administrator the figures of the archive: counts and sizes,
// never mail.
export function OverviewPage() {
  const { t, i18n } = useTranslation();
  useTitle(t('admin.title'));
  const account = useAccount();
  const allowed = account.role === 'tenant-admin';
  const statistics = useQuery({ ...statisticsQuery, enabled: allowed, refetchInterval: 30_000 });
  const late = useLate(allowed && statistics.isPending);
  return (
    <main className={classes.page}>
      <Group justify="space-between" mb="lg">
        <Titled><Title order={1} size="h2">{t('admin.title')}</Title></Titled>
        {statistics.data && (
          <Group gap="xs">
            <Text size="xs" c="dimmed">{t('admin.updated', { time: formatDateTime(new Date(statistics.dataUpdatedAt).toISOString(), i18n.language, account.tenant?.zone) })}</Text>
            <Button size="xs" variant="default" leftSection={<IconRefresh size={16} aria-hidden />} loading={statistics.isFetching} onClick={() => void statistics.refetch()}>{t('admin.reload')}</Button>
          </Group>
        )}
      </Group>
      {!allowed && <Text role="alert">{t('admin.forbidden')}</Text>}
      {statistics.error && <FailureNote error={statistics.error} retry={() => void statistics.refetch()} />}
      {late && <SimpleGrid cols={{ base: 1, xs: 2, md: 3 }} aria-hidden>{Array.from({ length: 6 }, (_, i) => <Skeleton key={i} height={104} />)}</SimpleGrid>}
      {statistics.data && <Figures statistics={statistics.data} />}
    </main>
  );
}

function Figures({ statistics: s }: { statistics: Statistics }) {
  const { t, i18n } = useTranslation();
  const zone = useAccount().tenant?.zone;
  const language = i18n.language;
  const ratio = s.raw_bytes > 0 ? new Intl.NumberFormat(regional(language), { style: 'percent', maximumFractionDigits: 0 }).format(s.stored_bytes / s.raw_bytes) : undefined;
  const at = (iso: string | undefined) => (iso ? formatDateTime(iso, language, zone) : t('admin.never'));
  const ago = (iso: string | undefined) => (iso ? formatRelative(iso, language) : undefined);
  return (
    <>
      <SimpleGrid cols={{ base: 1, xs: 2, md: 3 }} mb="lg">
        <Figure name={t('admin.messages')} value={formatNumber(s.messages, language)} />
        <Figure name={t('admin.raw')} value={formatSize(s.raw_bytes, language)} />
        <Figure name={t('admin.stored')} value={formatSize(s.stored_bytes, language)} note={ratio && t('admin.ratio', { number: ratio })} />
        <Figure name={t('admin.users')} value={formatNumber(s.users, language)} />
        <Figure
          name={t('admin.unindexed')}
          value={formatNumber(s.unindexed, language)}
          note={t(s.unindexed === 0 ? 'admin.unindexedNone' : 'admin.unindexedSome')}
          attention={s.unindexed > 0}
        />
        <Figure name={t('admin.last')} value={at(s.last_at)} note={[ago(s.last_at), s.first_at && `${t('admin.first')}: ${at(s.first_at)}`].filter(Boolean).join(' · ')} small />
      </SimpleGrid>
      <Days days={s.days} />
    </>
  );
}

type FigureProps = { name: string; value: string; note?: ReactNode; attention?: boolean; small?: boolean };

function Figure({ name, value, note, attention, small }: FigureProps) {
  return (
    <Paper withBorder p="md" radius="md" className={classes.figure} data-attention={attention || undefined}>
      <Text size="sm" c="dimmed">{name}</Text>
      <Text fw={600} fz={small ? 20 : 26} className={classes.value}>{value}</Text>
      {note && <Text size="xs" c="dimmed">{note}</Text>}
    </Paper>
  );
}
