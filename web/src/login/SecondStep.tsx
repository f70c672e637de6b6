import { Anchor, Button, Group, Stack, Text, TextInput, Title } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { IconFingerprint } from '@tabler/icons-react';
import { useState, type FormEvent } from 'react';
import { useTranslation } from 'react-i18next';

import { finishLogIn, type Account, type StepProblem } from '../api';
import { ask, hasCode } from '../failure';
import { stepByPasskey } from './passkey';
import { Trouble } from './Trouble';

type Way = StepProblem['factors'][number];

type Props = {
  factors: readonly Way[];
  passkeys: boolean; // can be used here
  done: (account: Account) => void;
  again: () => void;
};

// SecondStep asks for the second factor, after the password was right.
export function SecondStep({ factors, passkeys, done, again }: Props) {
  const { t } = useTranslation();
  const usable = factors.filter((f) => f !== 'passkey' || passkeys);
  const [way, setWay] = useState<Way | undefined>(usable.find((f) => f === 'passkey') ?? usable[0]);
  const send = useMutation({ mutationFn: (body: { code: string } | { recovery: string }) => ask<Account>(finishLogIn({ body })), onSuccess: done });
  const passkey = useMutation({ mutationFn: stepByPasskey, onSuccess: done });
  const others = usable.filter((f) => f !== way);
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const value = String(new FormData(event.currentTarget).get('code') ?? '').trim();
    send.mutate(way === 'recovery' ? { recovery: value } : { code: value });
  };
  const ended = hasCode(send.error, 'step-ended') || hasCode(passkey.error, 'step-ended');
  return (
    <Stack>
      <Title order={2} size="h4">{t('logins.stepTitle')}</Title>
      {way === undefined && <Text role="alert">{t('logins.passkeyElsewhere')}</Text>}
      {way === 'passkey' && (
        <>
          <Text size="sm">{t('logins.stepPasskey')}</Text>
          <Button leftSection={<IconFingerprint size={20} aria-hidden />} loading={passkey.isPending} onClick={() => passkey.mutate()}>{t('logins.usePasskey')}</Button>
          <Trouble error={passkey.error} />
        </>
      )}
      {(way === 'totp' || way === 'recovery') && (
        <form onSubmit={submit} key={way}>
          <Stack>
            <TextInput
              name="code"
              label={t(way === 'totp' ? 'logins.code' : 'logins.recoveryCode')}
              description={t(way === 'totp' ? 'logins.codeHint' : 'logins.recoveryHint')}
              autoComplete="one-time-code"
              inputMode={way === 'totp' ? 'numeric' : 'text'}
              autoCapitalize="none"
              spellCheck={false}
              required
              withAsterisk={false}
              autoFocus
              maxLength={way === 'totp' ? 16 : 64}
            />
            <Trouble error={send.error} />
            {!ended && <Button type="submit" loading={send.isPending}>{t('logins.continue')}</Button>}
          </Stack>
        </form>
      )}
      <Group gap="md">
        {!ended && others.map((f) => (
          <Anchor key={f} component="button" type="button" size="sm" onClick={() => { send.reset(); passkey.reset(); setWay(f); }}>{t(`logins.instead.${f}`)}</Anchor>
        ))}
        <Anchor component="button" type="button" size="sm" onClick={again}>{t('logins.startAgain')}</Anchor>
      </Group>
    </Stack>
  );
}
