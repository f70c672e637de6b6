import { Button, Group, Modal, Stack, TextInput } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import type { FormEvent } from 'react';
import { useTranslation } from 'react-i18next';

import { renamePasskey } from '../api';
import { ask } from '../failure';
import { secured } from './queries';
import { Trouble } from './Trouble';

// Rename calls a passkey something else.
export function Rename({ id, name, close }: { id: string; name: string; close: () => void }) {
  const { t } = useTranslation();
  const rename = useMutation({
    mutationFn: (wanted: string) => ask(renamePasskey({ path: { id }, body: { name: wanted } })),
    onSuccess: () => {
      secured();
      close();
    },
  });
  const send = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    rename.mutate(String(new FormData(event.currentTarget).get('name')).trim());
  };
  return (
    <Modal opened onClose={close} title={t('logins.renameTitle')} closeButtonProps={{ 'aria-label': t('app.close') }}>
      <form onSubmit={send}>
        <Stack>
          <TextInput name="name" label={t('logins.passkeyName')} defaultValue={name} required withAsterisk={false} maxLength={100} data-autofocus />
          <Trouble error={rename.error} />
          <Group justify="flex-end">
            <Button variant="default" onClick={close}>{t('logins.cancel')}</Button>
            <Button type="submit" loading={rename.isPending}>{t('logins.save')}</Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
