import { Button, Group, Paper, PasswordInput, Stack, Text, Title } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { useState, type FormEvent } from 'react';
import { useTranslation } from 'react-i18next';

import { changePassword, type PasswordChange } from '../api';
import { ask, hasCode } from '../failure';
import classes from './Logins.module.css';
import { NewPassword } from './NewPassword';
import { secured } from './queries';
import { Trouble } from './Trouble';

// PasswordCard changes one's own password.
export function PasswordCard() {
  const { t } = useTranslation();
  const [open, setOpen] = useState(false);
  const [old, setOld] = useState('');
  const [password, setPassword] = useState('');
  const change = useMutation({
    mutationFn: (body: PasswordChange) => ask(changePassword({ body })),
    onSuccess: () => {
      setOpen(false);
      setOld('');
      setPassword('');
      secured();
    },
  });
  const send = (event: FormEvent) => {
    event.preventDefault();
    change.mutate({ old, new: password });
  };
  return (
    <Paper withBorder p="lg" radius="md" component="section" aria-labelledby="password" className={classes.card}>
      <Title order={2} size="h4" mb="sm" id="password">{t('login.password')}</Title>
      <Text size="sm" role="status">{change.isSuccess && !open ? t('logins.passwordChanged') : ''}</Text>
      {!open && <Button variant="default" mt="xs" onClick={() => { change.reset(); setOpen(true); }}>{t('logins.changePassword')}</Button>}
      {open && (
        <form onSubmit={send}>
          <Stack maw={420}>
            <Text size="sm" c="dimmed">{t('logins.changePasswordText')}</Text>
            <PasswordInput label={t('logins.oldPassword')} value={old} onChange={(e) => setOld(e.currentTarget.value)} autoComplete="current-password" maxLength={1024}
              visibilityToggleButtonProps={{ 'aria-hidden': true, tabIndex: -1 }} error={hasCode(change.error, 'password') ? t('logins.trouble.password') : undefined} />
            <NewPassword error={change.error} field="new" ready={setPassword} />
            {!hasCode(change.error, 'password') && !hasCode(change.error, 'invalid') && <Trouble error={change.error} />}
            <Group>
              <Button type="submit" loading={change.isPending} disabled={!old || !password}>{t('logins.changePassword')}</Button>
              <Button variant="default" onClick={() => setOpen(false)}>{t('logins.cancel')}</Button>
            </Group>
          </Stack>
        </form>
      )}
    </Paper>
  );
}
