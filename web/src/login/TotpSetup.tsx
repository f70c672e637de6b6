import { Button, Group, Loader, Stack, Text, TextInput } from '@mantine/core';
import { useMutation, useQuery } from '@tanstack/react-query';
import type { FormEvent } from 'react';
import { useTranslation } from 'react-i18next';

import { beginTotp, confirmTotp, type FactorAdded, type TotpSetup as Setup } from '../api';
import { ask } from '../failure';
import { Confirm } from './Confirm';
import classes from './Logins.module.css';
import { Trouble } from './Trouble';

// TotpSetup shows a new secret once, and takes the first code that an app makes of it.
export function TotpSetup({ done, cancel }: { done: (added: FactorAdded) => void; cancel: () => void }) {
  const { t } = useTranslation();
  // Not kept: whoever comes back gets another secret.
  const setup = useQuery({ queryKey: ['totp-setup'], queryFn: () => ask<Setup>(beginTotp()), staleTime: Infinity, gcTime: 0 });
  const confirm = useMutation({ mutationFn: (code: string) => ask<FactorAdded>(confirmTotp({ body: { code } })), onSuccess: done });
  const send = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    confirm.mutate(String(new FormData(event.currentTarget).get('code')).trim());
  };
  return (
    <Stack>
      <Confirm error={setup.error} retry={() => void setup.refetch()} cancel={cancel} />
      <Trouble error={setup.error} />
      {setup.isPending && <Loader aria-label={t('app.loading')} />}
      {setup.data && (
        <form onSubmit={send}>
          <Stack>
            <Text size="sm">{t('logins.totpScan')}</Text>
            <img className={classes.qr} src={setup.data.qr} alt={t('logins.qr')} width={200} height={200} />
            <Text size="sm">{t('logins.totpType')} <span className={classes.secret}>{setup.data.secret.match(/.{1,4}/gu)?.join(' ')}</span></Text>
            <TextInput name="code" label={t('logins.firstCode')} description={t('logins.firstCodeHint')} inputMode="numeric" autoComplete="one-time-code" required withAsterisk={false} maxLength={16} maw={320} />
            <Trouble error={confirm.error} />
            <Group>
              <Button type="submit" loading={confirm.isPending}>{t('logins.totpFinish')}</Button>
              <Button variant="default" onClick={cancel}>{t('logins.cancel')}</Button>
            </Group>
          </Stack>
        </form>
      )}
    </Stack>
  );
}
