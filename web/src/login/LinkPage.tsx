import { Alert, Anchor, Button, Loader, Stack, Text, Title } from '@mantine/core';
import { useMutation, useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { IconCheck } from '@tabler/icons-react';
import { useState, type FormEvent } from 'react';
import { useTranslation } from 'react-i18next';

import { lookAtLink, useLink as setByLink, type Link as OneTimeLink } from '../api';
import { ask, hasCode } from '../failure';
import { formatDateTime } from '../format';
import { FailureNote } from '../shell/Failure';
import { useTitle } from '../shell/usePage';
import { Door } from './Door';
import { NewPassword } from './NewPassword';
import { Trouble } from './Trouble';

// takeToken reads the token out of the address and takes it away there, so that it is
// neither in the history nor in a picture of the screen. It never left the browser.
function takeToken(): string {
  const token = window.location.hash.slice(1);
  if (token) {
    window.history.replaceState(window.history.state, '', window.location.pathname);
  }
  return token;
}

// LinkPage lets the holder of a one-time link set a password. Opening the page does
// nothing to the link: programs that look at mails open it too.
export function LinkPage() {
  const { t } = useTranslation();
  useTitle(t('logins.linkTitle'));
  const [token] = useState(takeToken);
  const link = useQuery({
    queryKey: ['link', token],
    queryFn: ({ signal }) => ask<OneTimeLink>(lookAtLink({ body: { token }, signal })),
    enabled: token !== '',
    staleTime: Infinity,
  });
  const set = useMutation({ mutationFn: (password: string) => ask<OneTimeLink>(setByLink({ body: { token, password } })) });
  const dead = token === '' || hasCode(link.error, 'link') || hasCode(set.error, 'link');
  return (
    <Door>
      <Stack>
        <Title order={2} size="h4">{t(link.data?.purpose === 'welcome' ? 'logins.welcomeTitle' : 'logins.linkTitle')}</Title>
        {dead && (
          <>
            <Alert color="red" variant="light" role="alert">{t('logins.trouble.link')}</Alert>
            <Text size="sm">{t('logins.linkDead')}</Text>
            <Anchor size="sm" renderRoot={(props) => <Link to="/forgotten" {...props} />}>{t('logins.forgotten')}</Anchor>
          </>
        )}
        {!dead && link.isPending && <Loader aria-label={t('app.loading')} />}
        {!dead && link.error && <FailureNote error={link.error} retry={() => void link.refetch()} compact />}
        {!dead && link.data && (set.isSuccess
          ? <Alert variant="light" color="green" role="status" icon={<IconCheck aria-hidden />}>{t('logins.linkDone')}</Alert>
          : <Form link={link.data} busy={set.isPending} error={set.error} send={(password) => set.mutate(password)} />)}
        <Anchor size="sm" renderRoot={(props) => <Link to="/login" {...props} />}>{t('logins.toLogIn')}</Anchor>
      </Stack>
    </Door>
  );
}

function Form({ link, busy, error, send }: { link: OneTimeLink; busy: boolean; error: unknown; send: (password: string) => void }) {
  const { t, i18n } = useTranslation();
  const [password, setPassword] = useState('');
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (password) {
      send(password);
    }
  };
  return (
    <form onSubmit={submit}>
      <Stack>
        <Text size="sm">
          {t(link.tenant ? 'logins.linkFor' : 'logins.linkForOperator', { name: link.name, login: link.login, tenant: link.tenant?.name })}{' '}
          {t('logins.linkUntil', { date: formatDateTime(link.expires_at, i18n.language) })}
        </Text>
        <input type="text" name="username" autoComplete="username" value={link.login} readOnly hidden aria-hidden />
        <NewPassword error={error} field="password" ready={setPassword} />
        {!hasCode(error, 'invalid') && <Trouble error={error} />}
        <Button type="submit" loading={busy} disabled={!password}>{t('logins.setPassword')}</Button>
      </Stack>
    </form>
  );
}
