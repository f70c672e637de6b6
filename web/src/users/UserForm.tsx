import { Alert, Button, Checkbox, Group, NativeSelect, Paper, PasswordInput, Stack, Switch, Text, Textarea, TextInput, Title } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { useState, type FormEvent } from 'react';
import { useTranslation } from 'react-i18next';

import { changeUser, createUser, type User } from '../api';
import { ask } from '../failure';
import { FailureNote } from '../shell/Failure';
import { changed } from './queries';
import classes from './Users.module.css';
import { codeOf, hasTaken, wrongOf } from './wrong';

const roles = ['user', 'tenant-admin', 'auditor', 'dpo'] as const;
const languages = ['', 'de', 'en'] as const;

type Draft = Pick<User, 'login' | 'name' | 'first_name' | 'last_name' | 'role' | 'language' | 'expires_on'> & { active: boolean; password: string; addresses: string; shared: boolean };

function draftOf(u: User | undefined): Draft {
  const derived = !u || u.name === `${u.first_name} ${u.last_name}`.trim() || u.name === u.login;
  return {
    login: u?.login ?? '', name: derived ? '' : u.name, first_name: u?.first_name ?? '', last_name: u?.last_name ?? '', role: u?.role ?? 'user', language: u?.language ?? '',
    expires_on: u?.expires_on ?? '', active: !u?.disabled, password: '', addresses: '', shared: false,
  };
}

const listOf = (text: string) => text.split(/[\s,;]+/u).filter(Boolean);

// UserForm makes a user, or changes what is said of one.
export function UserForm({ user }: { user?: User }) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const [draft, setDraft] = useState(() => draftOf(user));
  const set = (change: Partial<Draft>) => setDraft((old) => ({ ...old, ...change }));
  const save = useMutation({
    mutationFn: () => {
      const { name, first_name, last_name, role, language, expires_on } = draft;
      const common = { name, first_name, last_name, role, language, expires_on };
      return user
        ? ask<User>(changeUser({ path: { id: user.id }, body: { ...common, disabled: !draft.active } }))
        : ask<User>(createUser({ body: { ...common, login: draft.login, password: draft.password, addresses: listOf(draft.addresses), shared: draft.shared } }));
    },
    onSuccess: (made) => {
      changed(made);
      if (!user) void navigate({ to: '/users/$id', params: { id: made.id } });
    },
  });
  const wrong = wrongOf(t, save.error);
  const shown = ['login', 'name', 'first_name', 'last_name', 'role', 'language', 'expires_on', 'password', 'addresses'];
  const submit = (event: FormEvent) => {
    event.preventDefault();
    save.mutate();
  };
  const last = codeOf(save.error) === 'last-admin';
  return (
    <form onSubmit={submit} noValidate>
      <Paper withBorder p="lg" radius="md" className={classes.panel}>
        <Stack gap="md">
          <Title order={2} size="h5">{t('users.person')}</Title>
          <div className={classes.fields}>
            {user
              ? <TextInput label={t('users.login')} description={t('users.loginStays')} value={user.login} readOnly variant="filled" />
              : <TextInput label={t('users.login')} description={t('users.loginHint')} required value={draft.login} maxLength={200} autoCapitalize="none" autoComplete="off" spellCheck={false} onChange={(e) => set({ login: e.currentTarget.value })} error={wrong['login']} />}
            <NativeSelect label={t('users.roleLabel')} description={t(`users.roleHint.${draft.role}`)} value={draft.role} data={roles.map((r) => ({ value: r, label: t(`users.role.${r}`) }))} onChange={(e) => set({ role: roles.find((r) => r === e.currentTarget.value) ?? 'user' })} error={!last && wrong['role']} />
            <TextInput label={t('users.firstName')} value={draft.first_name} maxLength={200} autoComplete="off" onChange={(e) => set({ first_name: e.currentTarget.value })} error={wrong['first_name']} />
            <TextInput label={t('users.lastName')} value={draft.last_name} maxLength={200} autoComplete="off" onChange={(e) => set({ last_name: e.currentTarget.value })} error={wrong['last_name']} />
            <TextInput label={t('users.name')} description={t('users.nameHint')} value={draft.name} maxLength={200} autoComplete="off" onChange={(e) => set({ name: e.currentTarget.value })} error={wrong['name']} />
            <NativeSelect label={t('users.language')} description={t('users.languageHint')} value={draft.language} data={languages.map((l) => ({ value: l, label: t(l === '' ? 'language.browser' : `language.${l}`) }))} onChange={(e) => set({ language: languages.find((l) => l === e.currentTarget.value) ?? '' })} error={wrong['language']} />
            <TextInput type="date" label={t('users.expires')} description={t('users.expiresHint')} value={draft.expires_on} max="9998-12-31" onChange={(e) => set({ expires_on: e.currentTarget.value })} error={wrong['expires_on']} />
          </div>
          {user && <Switch checked={draft.active} onChange={(e) => set({ active: e.currentTarget.checked })} label={t('users.active')} description={t('users.activeHint')} />}
          {!user && <FirstSteps draft={draft} set={set} wrong={wrong} taken={hasTaken(save.error)} />}
          {last && <Alert variant="light" color="red" role="alert">{wrong['role']}</Alert>}
          {save.error && !shown.some((f) => wrong[f]) && <FailureNote error={save.error} />}
          <Group justify="space-between">
            <Text size="sm" role="status" c="var(--m-good)">{save.isSuccess && user ? t('users.saved') : ''}</Text>
            <Group gap="xs">
              {!user && <Button variant="default" renderRoot={(props) => <Link to="/users" {...props} />}>{t('users.cancel')}</Button>}
              <Button type="submit" loading={save.isPending}>{t(user ? 'users.save' : 'users.create')}</Button>
            </Group>
          </Group>
        </Stack>
      </Paper>
    </form>
  );
}

type StepProps = { draft: Draft; set: (change: Partial<Draft>) => void; wrong: Record<string, string>; taken: boolean };

// FirstSteps are what a new user needs besides: addresses and a password.
function FirstSteps({ draft, set, wrong, taken }: StepProps) {
  const { t } = useTranslation();
  return (
    <>
      <Textarea label={t('users.addresses')} description={t('users.addressesHint')} value={draft.addresses} autosize minRows={2} maxRows={8} spellCheck={false} autoCapitalize="none" onChange={(e) => set({ addresses: e.currentTarget.value })} error={wrong['addresses']} />
      {(taken || draft.shared) && <Checkbox checked={draft.shared} onChange={(e) => set({ shared: e.currentTarget.checked })} label={t('users.shared')} description={t('users.sharedHint')} />}
      <PasswordInput label={t('users.password')} description={t('users.passwordHint')} value={draft.password} maxLength={1024} autoComplete="new-password" onChange={(e) => set({ password: e.currentTarget.value })} error={wrong['password']} visibilityToggleButtonProps={{ 'aria-label': t('users.showPassword') }} />
    </>
  );
}
