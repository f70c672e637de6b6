import { Alert, Button, Group, Menu, NativeSelect, Paper, SegmentedControl, Skeleton, Stack, Text, TextInput, Title } from '@mantine/core';
import { useMediaQuery } from '@mantine/hooks';
import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { IconAlertTriangle, IconChevronDown, IconDownload } from '@tabler/icons-react';
import { useMemo } from 'react';
import { useTranslation } from 'react-i18next';

import type { AccountLine, ServerCount } from '../api';
import { formatNumber, formatSize, plain } from '../format';
import { completenessAddress, completenessQuery } from '../queries';
import { periods, type CompletenessState } from '../router';
import { FailureNote } from '../shell/Failure';
import { Titled } from '../shell/ManualLink';
import { useLate } from '../shell/useLate';
import { useAccount, useTitle } from '../shell/usePage';
import { boundsOf, isShort, outcomes, rowsOf } from './accounts';
import { AccountCards, AccountTable } from './AccountTable';
import classes from './CompletenessPage.module.css';

const isDay = (day: string): boolean => day === '' || /^\d{4}-\d\d-\d\d$/u.test(day);

// CompletenessPage tells an administrator where every message ended that was offered.
export function CompletenessPage() {
  const { t } = useTranslation();
  useTitle(t('completeness.title'));
  const allowed = useAccount().role === 'tenant-admin';
  const state = useSearch({ from: '/frame/completeness' });
  const { from, to } = boundsOf(state.period ?? 'month', { from: state.from ?? '', to: state.to ?? '' }, new Date());
  const valid = isDay(from) && isDay(to);
  const account = useQuery({ ...completenessQuery(from, to), enabled: allowed && valid, refetchInterval: 30_000 });
  const late = useLate(allowed && valid && account.isPending);
  const lines = account.data?.lines;
  const counts = account.data?.counts ?? [];
  return (
    <main className={classes.page}>
      <Titled><Title order={1} size="h2">{t('completeness.title')}</Title></Titled>
      {!allowed && <Text role="alert">{t('completeness.forbidden')}</Text>}
      {allowed && (
        <>
          <Text size="sm" c="dimmed" mb="md">{t('completeness.intro')}</Text>
          <Controls state={state} from={from} to={to} />
          {!valid && <Text role="alert" size="sm">{t('completeness.badDay')}</Text>}
          {account.error && <FailureNote error={account.error} retry={() => void account.refetch()} />}
          {late && <Stack gap="xs" aria-hidden>{Array.from({ length: 6 }, (_, i) => <Skeleton key={i} height={32} />)}</Stack>}
          {lines && lines.length + counts.length === 0 && <Nothing />}
          {lines && lines.length + counts.length > 0 && <Account lines={lines} counts={counts} by={state.by ?? 'day'} />}
          <Words />
        </>
      )}
    </main>
  );
}

function Controls({ state, from, to }: { state: CompletenessState; from: string; to: string }) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const go = (part: CompletenessState) => void navigate({ to: '/completeness', search: { ...state, ...part }, replace: true });
  const choose = (value: string) => {
    const period = periods.find((p) => p === value) ?? 'month';
    void navigate({ to: '/completeness', search: { ...(state.by && { by: state.by }), period, ...(period === 'own' && from && { from }) } });
  };
  const own = state.period === 'own';
  return (
    <Group mb="md" align="flex-end" gap="md">
      <NativeSelect label={t('completeness.period')} value={state.period ?? 'month'} onChange={(e) => choose(e.currentTarget.value)} data={periods.map((value) => ({ value, label: t(`completeness.periods.${value}`) }))} />
      {own && <TextInput type="date" label={t('completeness.from')} value={from} onChange={(e) => go({ from: e.currentTarget.value })} />}
      {own && <TextInput type="date" label={t('completeness.to')} value={to} onChange={(e) => go({ to: e.currentTarget.value })} />}
      <SegmentedControl
        aria-label={t('completeness.grouping')}
        value={state.by ?? 'day'}
        onChange={(value) => {
          const rest = { ...state };
          delete rest.by;
          void navigate({ to: '/completeness', search: value === 'source' ? { ...rest, by: 'source' } : rest, replace: true });
        }}
        data={(['day', 'source'] as const).map((value) => ({ value, label: t(`completeness.groupings.${value}`) }))}
      />
      <Menu position="bottom-end">
        <Menu.Target>
          <Button variant="default" leftSection={<IconDownload size={16} aria-hidden />} rightSection={<IconChevronDown size={14} aria-hidden />}>{t('completeness.csv')}</Button>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item component="a" href={completenessAddress(from, to, 'semicolon')} download>{t('completeness.csvSemicolon')}</Menu.Item>
          <Menu.Item component="a" href={completenessAddress(from, to, 'comma')} download>{t('completeness.csvComma')}</Menu.Item>
        </Menu.Dropdown>
      </Menu>
    </Group>
  );
}

function Account({ lines, counts, by }: { lines: readonly AccountLine[]; counts: readonly ServerCount[]; by: 'day' | 'source' }) {
  const { t, i18n } = useTranslation();
  const narrow = useMediaQuery('(max-width: 860px)', undefined, { getInitialValueInEffect: false });
  const rows = useMemo(() => rowsOf(lines, by, counts), [lines, counts, by]);
  const unsure = [...new Set(lines.filter((l) => l.from_headers).map((l) => l.name))];
  const size = lines.reduce((sum, l) => sum + l.bytes, 0);
  const short = useMemo(() => rowsOf(lines, 'source', counts).filter(isShort), [lines, counts]);
  const list = short.map((r) => t('history.differsItem', { name: plain(r.name), number: formatNumber((r.counted ?? 0) - r.offered, i18n.language) })).join('; ');
  return (
    <>
      {short.length > 0 && <Alert variant="light" color="orange" icon={<IconAlertTriangle aria-hidden />} mb="md">{t('history.differs', { list })}</Alert>}
      {narrow ? <AccountCards rows={rows} by={by} /> : <AccountTable rows={rows} by={by} />}
      {unsure.length > 0 && <Text size="sm" mt="sm" role="note">{t('routing.fromHeadersSources', { sources: plain(unsure.join(', ')) })}</Text>}
      <Text size="xs" c="dimmed" mt={6}>{t('completeness.size', { size: formatSize(size, i18n.language) })}</Text>
    </>
  );
}

function Nothing() {
  const { t } = useTranslation();
  return (
    <Paper withBorder p="xl" radius="md" className={classes.panel}>
      <Stack align="center" gap="xs" ta="center">
        <Title order={2} size="h4">{t('completeness.none')}</Title>
        <Text size="sm" c="dimmed" maw={420}>{t('completeness.noneHint')}</Text>
        <Button variant="default" mt="xs" renderRoot={(props) => <Link to="/sources" {...props} />}>{t('completeness.toSources')}</Button>
      </Stack>
    </Paper>
  );
}

function Words() {
  const { t } = useTranslation();
  return (
    <section aria-labelledby="words">
      <Title order={2} size="h5" id="words" mt="xl" mb="xs">{t('completeness.words')}</Title>
      <dl className={classes.words}>
        {outcomes.map((o) => (
          <div key={o}><dt>{t(`completeness.outcome.${o}`)}</dt><dd>{t(`completeness.meaning.${o}`)}</dd></div>
        ))}
        <div><dt>{t('history.counted')}</dt><dd>{t('history.countedHint')}</dd></div>
      </dl>
    </section>
  );
}
