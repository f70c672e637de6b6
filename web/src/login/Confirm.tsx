import { Button, Group, Modal, PasswordInput, Stack, Text } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import type { FormEvent } from 'react';
import { useTranslation } from 'react-i18next';

import { confirmPassword } from '../api';
import { ask, hasCode } from '../failure';
import { Trouble } from './Trouble';

type Props = {
  error: unknown; // of what was tried
  retry: () => void;
  cancel: () => void;
};

// Confirm asks for the password when the server wants it before it changes a factor, and
// then has the change tried again.
export function Confirm({ error, retry, cancel }: Props) {
  const { t } = useTranslation();
  const confirm = useMutation({ mutationFn: (password: string) => ask(confirmPassword({ body: { password } })), onSuccess: retry });
  const send = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    confirm.mutate(String(new FormData(event.currentTarget).get('password')));
  };
  return (
    <Modal opened={hasCode(error, 'confirm-needed')} onClose={cancel} title={t('logins.confirmTitle')} closeButtonProps={{ 'aria-label': t('app.close') }}>
      <form onSubmit={send}>
        <Stack>
          <Text size="sm">{t('logins.confirmText')}</Text>
          <PasswordInput name="password" label={t('login.password')} autoComplete="current-password" required withAsterisk={false} maxLength={1024} data-autofocus
            visibilityToggleButtonProps={{ 'aria-hidden': true, tabIndex: -1 }} />
          <Trouble error={confirm.error} />
          <Group justify="flex-end">
            <Button variant="default" onClick={cancel}>{t('logins.cancel')}</Button>
            <Button type="submit" loading={confirm.isPending}>{t('logins.confirm')}</Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
