import { Button, Group, Paper, PasswordInput, Stack, Text, Title } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { useState, type FormEvent } from 'react';
import { useTranslation } from 'react-i18next';

import { setUserPassword, type User } from '../api';
import { ask } from '../failure';
import { queries } from '../queries';
import { FailureNote } from '../shell/Failure';
import { changed, userQuery } from './queries';
import classes from './Users.module.css';
import { wrongOf } from './wrong';

// PasswordPanel sets a password for somebody else.
export function PasswordPanel({ user }: { user: User }) {
  const { t } = useTranslation();
  const [password, setPassword] = useState('');
  const set = useMutation({
    mutationFn: () => ask(setUserPassword({ path: { id: user.id }, body: { password } })),
    onSuccess: () => {
      setPassword('');
      changed();
      void queries.invalidateQueries({ queryKey: userQuery(user.id).queryKey });
    },
  });
  const wrong = wrongOf(t, set.error)['password'];
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (password !== '') set.mutate();
  };
  return (
    <Paper withBorder p="lg" radius="md" className={classes.panel}>
      <form onSubmit={submit} noValidate>
        <Stack gap="md">
          <div>
            <Title order={2} size="h5">{t('users.password')}</Title>
            <Text size="sm" c="dimmed">{t(user.has_password ? 'users.hasPassword' : 'users.hasNoPassword')}</Text>
          </div>
          <Group align="flex-start" gap="md">
            <PasswordInput flex="1 1 240px" label={t('users.newPassword')} description={t('users.policy')} value={password} maxLength={1024} autoComplete="new-password" onChange={(e) => setPassword(e.currentTarget.value)} error={wrong} visibilityToggleButtonProps={{ 'aria-label': t('users.showPassword') }} />
          </Group>
          {set.error && !wrong && <FailureNote error={set.error} compact />}
          <Group justify="space-between">
            <Text size="sm" role="status" c="var(--m-good)">{set.isSuccess ? t('users.passwordSet') : ''}</Text>
            <Button type="submit" variant="default" loading={set.isPending}>{t('users.setPassword')}</Button>
          </Group>
        </Stack>
      </form>
    </Paper>
  );
}
