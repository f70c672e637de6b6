import { Alert, Button, Group, Paper, Skeleton, Stack, Text, TextInput, Title } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { IconAlertTriangle, IconDownload, IconFileImport, IconInfoCircle, IconPlus, IconSearch, IconUsers } from '@tabler/icons-react';
import { useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';

import type { Users } from '../api';
import { formatNumber } from '../format';
import { FailureNote } from '../shell/Failure';
import { Titled } from '../shell/ManualLink';
import { useLate } from '../shell/useLate';
import { useAccount, useTitle } from '../shell/usePage';
import { ExportDialog } from './ExportDialog';
import { matching, stateOf } from './find';
import { usersQuery } from './queries';
import { UserList } from './UserList';
import classes from './Users.module.css';

// UsersPage shows an administrator who may log in, and whose mail they see.
export function UsersPage() {
  const { t } = useTranslation();
  useTitle(t('users.title'));
  const allowed = useAccount().role === 'tenant-admin';
  const [exporting, setExporting] = useState(false);
  const all = useQuery({ ...usersQuery(''), enabled: allowed });
  const late = useLate(allowed && all.isPending);
  const few = all.data !== undefined && all.data.all <= 1;
  return (
    <main className={classes.page}>
      <Group justify="space-between" align="flex-end" mb="lg">
        <div>
          <Titled><Title order={1} size="h2">{t('users.title')}</Title></Titled>
          {allowed && <Text size="sm" c="dimmed" maw={640}>{t('users.intro')}</Text>}
        </div>
        {all.data && (
          <Group gap="xs">
            <Button size="sm" variant="default" leftSection={<IconFileImport size={16} aria-hidden />} renderRoot={(props) => <Link to="/users/import" {...props} />}>{t('users.import')}</Button>
            <Button size="sm" variant="default" leftSection={<IconDownload size={16} aria-hidden />} onClick={() => setExporting(true)}>{t('users.export')}</Button>
            <Button size="sm" leftSection={<IconPlus size={16} aria-hidden />} renderRoot={(props) => <Link to="/users/new" {...props} />}>{t('users.add')}</Button>
          </Group>
        )}
      </Group>
      {!allowed && <Text role="alert">{t('users.forbidden')}</Text>}
      <Stack gap="md">
        {all.error && <FailureNote error={all.error} retry={() => void all.refetch()} />}
        {late && <Stack gap="xs" aria-hidden>{Array.from({ length: 6 }, (_, i) => <Skeleton key={i} height={48} />)}</Stack>}
        {all.data && all.data.damaged > 0 && <Alert variant="light" color="red" icon={<IconAlertTriangle size={18} aria-hidden />}>{t('users.damaged', { count: all.data.damaged })}</Alert>}
        {all.data?.any_domain && <Alert variant="light" color="blue" icon={<IconInfoCircle size={18} aria-hidden />}>{t('users.anyDomain')}{' '}<Link to="/domains" style={{ color: 'var(--m-accent)' }}>{t('users.toDomains')}</Link></Alert>}
        {all.data && <Found all={all.data} />}
        {few && <First />}
      </Stack>
      {exporting && all.data && <ExportDialog blocked={all.data.users.filter((u) => stateOf(u) !== 'active').length} close={() => setExporting(false)} />}
    </main>
  );
}

// Found filters while the reader types: by itself as long as all users are here.
function Found({ all }: { all: Users }) {
  const { t, i18n } = useTranslation();
  const [text, setText] = useState('');
  const [asked] = useDebouncedValue(text.trim(), 200);
  const whole = all.next === undefined;
  const remote = useQuery({ ...usersQuery(asked), enabled: !whole && asked !== '' });
  const page = whole || asked === '' ? all : (remote.data ?? all);
  const list = useMemo(() => matching(page.users, text), [page, text]);
  const found = whole ? list.length : page.found;
  return (
    <>
      <Group justify="space-between" align="center">
        <TextInput
          type="search" flex="1 1 260px" maw={480} value={text} maxLength={500} onChange={(e) => setText(e.currentTarget.value)} aria-label={t('users.find')} placeholder={t('users.find')}
          leftSection={<IconSearch size={16} aria-hidden />} autoCapitalize="none" spellCheck={false}
        />
        <Text size="sm" c="dimmed" role="status">{t('users.count', { count: found, number: formatNumber(found, i18n.language), all: formatNumber(all.all, i18n.language) })}</Text>
      </Group>
      {remote.error && <FailureNote error={remote.error} compact />}
      {list.length > 0 && <UserList users={list} />}
      {list.length === 0 && !remote.isFetching && <Text size="sm" c="dimmed">{t('users.none')}</Text>}
      {!whole && found > list.length && <Text size="sm" c="dimmed">{t('users.more')}</Text>}
    </>
  );
}

function First() {
  const { t } = useTranslation();
  return (
    <Paper withBorder p="xl" radius="md" className={classes.panel}>
      <Stack align="center" gap="sm" ta="center">
        <IconUsers size={40} stroke={1.2} aria-hidden />
        <Title order={2} size="h4">{t('users.first')}</Title>
        <Text size="sm" c="dimmed" maw={480}>{t('users.firstHint')}</Text>
      </Stack>
    </Paper>
  );
}
