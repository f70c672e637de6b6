import { Alert, Anchor, Badge, Button, Checkbox, Group, Paper, PasswordInput, Stack, Text, TextInput, Title, UnstyledButton } from '@mantine/core';
import { useMutation, useQuery } from '@tanstack/react-query';
import { getRouteApi, useRouter } from '@tanstack/react-router';
import { IconAlertTriangle, IconArrowRight } from '@tabler/icons-react';
import { useEffect, useState, type FormEvent } from 'react';
import { useTranslation } from 'react-i18next';

import { logIn, type Account, type DemoLogin, type LogIn } from '../api';
import { ask, hasCode } from '../failure';
import { speak } from '../i18n';
import { accountQuery, endedKey, queries, statusQuery } from '../queries';
import { FailureNote } from '../shell/Failure';
import { Logo } from '../shell/Logo';
import { SchemeMenu } from '../shell/SchemeMenu';
import { useTitle } from '../shell/usePage';
import classes from './LogInPage.module.css';
import { Providers, ProviderTrouble } from './Providers';

const route = getRouteApi('/login');

export function LogInPage() {
  const { t } = useTranslation();
  useTitle(t('login.title'));
  const { next, problem } = route.useSearch();
  const status = useQuery(statusQuery);
  const account = useQuery(accountQuery);
  const enter = useMutation({
    mutationFn: (body: LogIn) => ask<Account>(logIn({ body })),
    onSuccess: (data) => {
      queries.removeQueries({ predicate: (q) => q.queryKey[0] !== 'account' && q.queryKey[0] !== 'status' });
      queries.setQueryData(accountQuery.queryKey, data);
    },
  });
  if (account.data) {
    return <Back next={next} />;
  }
  const demo = status.data?.demo_logins ?? [];
  return (
    <div className={classes.page}>
      <div className={classes.corner}><Languages /><SchemeMenu /></div>
      <main className={classes.main}>
        <Stack gap={6} align="center" mb="lg">
          <Logo size={52} />
          <Title order={1} size={28}>{status.data?.name ?? 'Muniment'}</Title>
          <Text c="dimmed">{t('app.tagline')}</Text>
        </Stack>
        <Paper withBorder p="lg" radius="md" className={classes.card}>
          {queries.getQueryData(endedKey) === true && <Alert variant="light" color="gray" mb="md" role="status">{t('login.ended')}</Alert>}
          {problem && !enter.error && <ProviderTrouble code={problem} />}
          <LogInForm busy={enter.isPending} error={enter.error} submit={(body) => enter.mutate(body)} />
        </Paper>
        {demo.length > 0 && <DemoLogins logins={demo} busy={enter.isPending} choose={(d) => enter.mutate({ login: d.login, password: d.password })} />}
      </main>
      <footer className={classes.foot}>
        <Text size="xs" c="dimmed">Muniment {status.data?.version}</Text>
      </footer>
    </div>
  );
}

// inside says whether an address is a path of this origin: nobody is sent elsewhere
// after the log-in. It is asked here because the router hands out what is in the
// address even where a route's check has left it out.
const inside = (path: string) => /^\/(?![/\\])/u.test(path);

// Back leads to where the log-in was asked for, once.
function Back({ next }: { next: string | undefined }) {
  const router = useRouter();
  useEffect(() => router.history.replace(next && inside(next) ? next : '/'), [router, next]);
  return null;
}

function Languages() {
  const { t, i18n } = useTranslation();
  const other = i18n.resolvedLanguage === 'de' ? 'en' : 'de';
  return (
    <Anchor component="button" type="button" size="sm" lang={other} onClick={() => speak(other)}>{t(`language.${other}`)}</Anchor>
  );
}

function LogInForm({ busy, error, submit }: { busy: boolean; error: unknown; submit: (body: LogIn) => void }) {
  const { t } = useTranslation();
  const [tenantWanted, setTenantWanted] = useState(false);
  const [operator, setOperator] = useState(false);
  const [tenantName, setTenantName] = useState('');
  const needed = hasCode(error, 'tenant-needed');
  if (needed && !tenantWanted) {
    setTenantWanted(true);
  }
  const send = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const tenant = String(form.get('tenant') ?? '').trim();
    const whose = operator ? { operator } : tenant ? { tenant } : {};
    submit({ login: String(form.get('login')).trim(), password: String(form.get('password')), ...whose });
  };
  return (
    <form onSubmit={send}>
      <Stack>
        <TextInput name="login" label={t('login.login')} autoComplete="username" autoCapitalize="none" spellCheck={false} required withAsterisk={false} autoFocus maxLength={320} />
        <PasswordInput
          name="password"
          label={t('login.password')}
          autoComplete="current-password"
          required
          withAsterisk={false}
          maxLength={1024}
          visibilityToggleButtonProps={{ 'aria-hidden': true, tabIndex: -1 }}
        />
        {tenantWanted && (
          <>
            <TextInput
              name="tenant"
              label={t('login.tenant')}
              description={t(needed ? 'login.tenantHint' : 'directories.tenantHint')}
              required={!operator}
              disabled={operator}
              withAsterisk={false}
              maxLength={64}
              autoFocus
              value={tenantName}
              onChange={(e) => setTenantName(e.currentTarget.value)}
            />
            <Checkbox label={t('login.operator')} checked={operator} onChange={(e) => setOperator(e.currentTarget.checked)} />
          </>
        )}
        <LogInFailure error={needed ? undefined : error} />
        <Button type="submit" loading={busy} fullWidth>{t('login.submit')}</Button>
        {!tenantWanted && <Anchor component="button" type="button" size="sm" onClick={() => setTenantWanted(true)}>{t('directories.nameTenant')}</Anchor>}
      </Stack>
      <Providers tenant={operator ? '' : tenantName.trim().toLowerCase()} />
    </form>
  );
}

function LogInFailure({ error }: { error: unknown }) {
  const { t } = useTranslation();
  if (!error) {
    return null;
  }
  if (hasCode(error, 'login') || hasCode(error, 'too-many')) {
    return (
      <Alert color="red" variant="light" role="alert" icon={<IconAlertTriangle aria-hidden />}>
        {t(hasCode(error, 'login') ? 'login.wrong' : 'login.tooMany')}
      </Alert>
    );
  }
  if (hasCode(error, 'directory')) {
    return <Alert color="red" variant="light" role="alert" icon={<IconAlertTriangle aria-hidden />}>{t('directories.down')}</Alert>;
  }
  return <FailureNote error={error} compact />;
}

function DemoLogins({ logins, busy, choose }: { logins: DemoLogin[]; busy: boolean; choose: (login: DemoLogin) => void }) {
  const { t } = useTranslation();
  return (
    <section className={classes.demo} aria-labelledby="demo-title">
      <Group gap="xs" mb={4}>
        <Title order={2} size="h5" id="demo-title">{t('login.demoTitle')}</Title>
        <Badge variant="light" color="orange" radius="sm" tt="none" c="var(--m-demo)">{t('app.demo')}</Badge>
      </Group>
      <Text size="sm" c="dimmed" mb="sm">{t('login.demoText')}</Text>
      <Stack gap="xs">
        {logins.map((login) => (
          <UnstyledButton key={login.login} className={classes.choice} disabled={busy} onClick={() => choose(login)}>
            <span>
              <Text size="sm" fw={600} component="span" display="block">{login.name}</Text>
              <Text size="xs" c="dimmed" component="span">
                {login.login} · {login.role === 'tenant-admin' || login.role === 'operator' ? t(`role.${login.role}`) : t('role.user')}
              </Text>
            </span>
            <IconArrowRight size={16} aria-hidden />
          </UnstyledButton>
        ))}
      </Stack>
    </section>
  );
}
