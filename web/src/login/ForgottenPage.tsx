import { Alert, Anchor, Button, Stack, Text, TextInput, Title } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { IconMailCheck } from '@tabler/icons-react';
import type { FormEvent } from 'react';
import { useTranslation } from 'react-i18next';

import { forgotPassword, type ForgottenPassword } from '../api';
import { ask } from '../failure';
import { useTitle } from '../shell/usePage';
import { Door } from './Door';
import { Trouble } from './Trouble';

// ForgottenPage has a link mailed. It says the same whoever asks.
export function ForgottenPage() {
  const { t } = useTranslation();
  useTitle(t('logins.forgottenTitle'));
  const send = useMutation({ mutationFn: (body: ForgottenPassword) => ask(forgotPassword({ body })) });
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const tenant = String(form.get('tenant') ?? '').trim();
    send.mutate({ login: String(form.get('login')).trim(), ...(tenant && { tenant }) });
  };
  return (
    <Door>
      <Stack>
        <Title order={2} size="h4">{t('logins.forgottenTitle')}</Title>
        {send.isSuccess ? (
          <Alert variant="light" color="blue" role="status" icon={<IconMailCheck aria-hidden />}>{t('logins.forgottenDone')}</Alert>
        ) : (
          <form onSubmit={submit}>
            <Stack>
              <Text size="sm">{t('logins.forgottenText')}</Text>
              <TextInput name="login" label={t('login.login')} autoComplete="username" autoCapitalize="none" spellCheck={false} required withAsterisk={false} autoFocus maxLength={320} />
              <TextInput name="tenant" label={t('login.tenant')} description={t('logins.tenantOptional')} autoCapitalize="none" spellCheck={false} maxLength={64} />
              <Trouble error={send.error} />
              <Button type="submit" loading={send.isPending}>{t('logins.sendLink')}</Button>
            </Stack>
          </form>
        )}
        <Anchor size="sm" renderRoot={(props) => <Link to="/login" {...props} />}>{t('logins.toLogIn')}</Anchor>
      </Stack>
    </Door>
  );
}
