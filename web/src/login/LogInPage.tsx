import { Alert, Anchor, Badge, Button, Checkbox, Divider, Group, PasswordInput, Stack, Text, TextInput, Title, UnstyledButton } from '@mantine/core';
import { useMutation, useQuery } from '@tanstack/react-query';
import { getRouteApi, Link, Navigate, useRouter } from '@tanstack/react-router';
import { IconAlertTriangle, IconArrowRight, IconFingerprint } from '@tabler/icons-react';
import { useEffect, useState, type FormEvent } from 'react';
import { useTranslation } from 'react-i18next';

import { logIn, type Account, type DemoLogin, type LogIn, type StepProblem } from '../api';
import { ask, Failure, hasCode } from '../failure';
import { accountQuery, endedKey, queries, statusQuery } from '../queries';
import { FailureNote } from '../shell/Failure';
import { useTitle } from '../shell/usePage';
import { Door } from './Door';
import classes from './LogInPage.module.css';
import { canPasskey, enterByPasskey } from './passkey';
import { Providers, ProviderTrouble, useOffers } from './Providers';
import { SecondStep } from './SecondStep';
import { Trouble } from './Trouble';

const route = getRouteApi('/login');

export function LogInPage() {
  const { t } = useTranslation();
  useTitle(t('login.title'));
  const { next, problem } = route.useSearch();
  const status = useQuery(statusQuery);
  const account = useQuery(accountQuery);
  const done = (data: Account) => {
    queries.removeQueries({ predicate: (q) => q.queryKey[0] !== 'account' && q.queryKey[0] !== 'status' });
    queries.setQueryData(accountQuery.queryKey, data);
  };
  const enter = useMutation({ mutationFn: (body: LogIn) => ask<Account>(logIn({ body })), onSuccess: done });
  const [tenant, setTenant] = useState('');
  if (account.data) {
    return <Back next={next} />;
  }
  if (status.data?.setup) {
    return <Navigate to="/setup" hash={(h) => h ?? ''} replace />;
  }
  const demo = status.data?.demo_logins ?? [];
  const step = stepOf(enter.error);
  const passkeys = canPasskey(status.data?.passkey_host);
  if (step) {
    return <Door><SecondStep factors={step.factors} passkeys={passkeys} done={done} again={() => enter.reset()} /></Door>;
  }
  return (
    <Door below={demo.length > 0 && <DemoLogins logins={demo} busy={enter.isPending} choose={(d) => enter.mutate({ login: d.login, password: d.password })} />}>
      {queries.getQueryData(endedKey) === true && <Alert variant="light" color="gray" mb="md" role="status">{t('login.ended')}</Alert>}
      {problem && !enter.error && <ProviderTrouble code={problem} />}
      <LogInForm busy={enter.isPending} error={enter.error} submit={(body) => enter.mutate(body)} named={setTenant} />
      <OtherWays tenant={tenant} passkeys={passkeys} next={next} done={done} />
    </Door>
  );
}

// OtherWays offers to log in without a password: with a passkey, or elsewhere.
function OtherWays({ tenant, passkeys, next, done }: { tenant: string; passkeys: boolean; next: string | undefined; done: (account: Account) => void }) {
  const { t } = useTranslation();
  const offers = useOffers(tenant);
  const passkey = useMutation({ mutationFn: enterByPasskey, onSuccess: done });
  if (!passkeys && offers.length === 0) {
    return null;
  }
  return (
    <>
      <Divider my="md" label={t('logins.or')} />
      <Stack gap="xs">
        {passkeys && <Button variant="default" fullWidth leftSection={<IconFingerprint size={18} aria-hidden />} loading={passkey.isPending} onClick={() => passkey.mutate()}>{t('logins.withPasskey')}</Button>}
        <Trouble error={passkey.error} passkey />
        <Providers offers={offers} next={next} />
      </Stack>
    </>
  );
}

// stepOf returns the second step if the password was right and one is to follow.
function stepOf(error: unknown): StepProblem | undefined {
  return error instanceof Failure && error.code === 'second-factor' ? (error.problem as StepProblem) : undefined;
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

type FormProps = {
  busy: boolean;
  error: unknown;
  submit: (body: LogIn) => void;
  /** named is told the short name of the customer, as far as it is typed. */
  named: (tenant: string) => void;
};

function LogInForm({ busy, error, submit, named }: FormProps) {
  const { t } = useTranslation();
  const [tenantWanted, setTenantWanted] = useState(false);
  const [operator, setOperator] = useState(false);
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
              onChange={(e) => named(e.currentTarget.value.trim().toLowerCase())}
            />
            <Checkbox label={t('login.operator')} checked={operator} onChange={(e) => setOperator(e.currentTarget.checked)} />
          </>
        )}
        <LogInFailure error={needed ? undefined : error} />
        <Button type="submit" loading={busy} fullWidth>{t('login.submit')}</Button>
        <Group justify="space-between" gap="xs">
          <Anchor size="sm" renderRoot={(props) => <Link to="/forgotten" {...props} />}>{t('logins.forgotten')}</Anchor>
          {!tenantWanted && <Anchor component="button" type="button" size="sm" onClick={() => setTenantWanted(true)}>{t('directories.nameTenant')}</Anchor>}
        </Group>
      </Stack>
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
                {login.login} · {t(`role.${login.role}`)}
              </Text>
            </span>
            <IconArrowRight size={16} aria-hidden />
          </UnstyledButton>
        ))}
      </Stack>
    </section>
  );
}
