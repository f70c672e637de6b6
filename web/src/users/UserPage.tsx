import { Button, Stack, Text, Title } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link, useParams } from '@tanstack/react-router';
import { IconArrowLeft } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';

import { hasCode } from '../failure';
import { formatDateTime, plain } from '../format';
import { userSecurityQuery } from '../login/queries';
import { SendLink, UserLogIns } from '../login/UserLogIns';
import { FailureNote, PageLoading } from '../shell/Failure';
import { Titled } from '../shell/ManualLink';
import { useAccount, useTitle } from '../shell/usePage';
import { AddressPanel } from './AddressPanel';
import { stateOf } from './find';
import { PasswordPanel } from './PasswordPanel';
import { userQuery } from './queries';
import { UserForm } from './UserForm';
import { StateSign } from './UserList';
import classes from './Users.module.css';

// NewUserPage makes a user.
export function NewUserPage() {
  const { t } = useTranslation();
  const allowed = useAccount().role === 'tenant-admin';
  return <Page title={t('users.new')}>{allowed ? <UserForm /> : <Text role="alert">{t('users.forbidden')}</Text>}</Page>;
}

// UserPage shows one user, with what can be changed.
export function UserPage() {
  const { t, i18n } = useTranslation();
  const { id } = useParams({ from: '/frame/users/$id' });
  const account = useAccount();
  const allowed = account.role === 'tenant-admin';
  const user = useQuery({ ...userQuery(id), enabled: allowed, refetchOnMount: 'always' });
  if (!allowed) {
    return <Page title={t('users.title')}><Text role="alert">{t('users.forbidden')}</Text></Page>;
  }
  if (user.data) {
    const u = user.data;
    const isNew = !u.has_password && !u.logged_in_at && stateOf(u) === 'active';
    const when = (iso: string) => formatDateTime(iso, i18n.language, account.tenant?.zone);
    return (
      <Page title={plain(u.name)}>
        <Stack gap="lg">
          <div>
            <StateSign state={stateOf(u)} />
            <Text size="sm" c="dimmed">{[t('users.createdAt', { when: when(u.created_at) }), u.logged_in_at ? t('users.lastSeen', { when: when(u.logged_in_at) }) : t('users.neverSeen')].join(' · ')}</Text>
          </div>
          {isNew && <FirstLogIn id={u.id} name={plain(u.name)} />}
          <UserForm key={u.id} user={u} />
          <AddressPanel user={u} />
          <PasswordPanel user={u} />
          <UserLogIns id={u.id} name={plain(u.name)} link={!isNew} />
          <Text size="sm" c="dimmed">{t('users.noDeletion')}</Text>
        </Stack>
      </Page>
    );
  }
  if (user.error) {
    return (
      <Page title={t('users.title')}>
        {hasCode(user.error, 'not-found') ? <Text role="alert">{t('users.gone')}</Text> : <FailureNote error={user.error} retry={() => void user.refetch()} />}
      </Page>
    );
  }
  return <PageLoading />;
}

// FirstLogIn offers a link to somebody who cannot log in yet.
function FirstLogIn({ id, name }: { id: string; name: string }) {
  const { t } = useTranslation();
  const security = useQuery(userSecurityQuery(id));
  return security.data && <SendLink id={id} security={security.data} title={t('users.notYet', { name })} />;
}

export function Page({ title, children }: { title: string; children: ReactNode }) {
  const { t } = useTranslation();
  useTitle(title);
  return (
    <main className={classes.narrow}>
      <Button variant="subtle" color="gray" size="compact-md" ml={-8} mb={4} leftSection={<IconArrowLeft size={18} aria-hidden />} renderRoot={(props) => <Link to="/users" {...props} />}>
        {t('users.back')}
      </Button>
      <Titled><Title order={1} size="h2" mb="lg" className={classes.breakable}>{title}</Title></Titled>
      {children}
    </main>
  );
}
