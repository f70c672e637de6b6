import { Button, Group, Stack, Text, TextInput } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { IconFingerprint } from '@tabler/icons-react';
import { useState, type FormEvent } from 'react';
import { useTranslation } from 'react-i18next';

import type { FactorAdded } from '../api';
import { agentName } from './agent';
import { Confirm } from './Confirm';
import { makePasskey } from './passkey';
import { Trouble } from './Trouble';

// PasskeySetup names a new passkey and has the browser make it.
export function PasskeySetup({ done, cancel }: { done: (added: FactorAdded) => void; cancel: () => void }) {
  const { t } = useTranslation();
  const [name, setName] = useState(() => agentName(navigator.userAgent));
  const make = useMutation({ mutationFn: (called: string) => makePasskey(called), onSuccess: done });
  const send = (event: FormEvent) => {
    event.preventDefault();
    make.mutate(name.trim());
  };
  return (
    <form onSubmit={send}>
      <Stack>
        <Confirm error={make.error} retry={() => make.mutate(name.trim())} cancel={() => make.reset()} />
        <Text size="sm">{t('logins.passkeyText')}</Text>
        <TextInput label={t('logins.passkeyName')} description={t('logins.passkeyNameHint')} value={name} onChange={(e) => setName(e.currentTarget.value)} required withAsterisk={false} maxLength={100} maw={420} />
        <Trouble error={make.error} />
        <Group>
          <Button type="submit" loading={make.isPending} leftSection={<IconFingerprint size={18} aria-hidden />}>{t('logins.passkeyMake')}</Button>
          <Button variant="default" onClick={cancel}>{t('logins.cancel')}</Button>
        </Group>
      </Stack>
    </form>
  );
}
