import { Button, PasswordInput, Stack, Text, TextInput, Title } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { useEffect, useRef, useState, type FormEvent } from 'react';
import { useTranslation } from 'react-i18next';

import { found, type Account } from '../api';
import { ask, hasCode, wrongFields } from '../failure';
import { accountQuery, queries, statusQuery } from '../queries';
import { FailureNote } from '../shell/Failure';

// codeHere is the code that the server has put into the address, behind the #, which
// browsers send nowhere.
const codeHere = () => decodeURIComponent(window.location.hash.slice(1)).slice(0, 100);

// OperatorForm makes the first operator and logs in.
export function OperatorForm({ founded }: { founded: () => void }) {
  const { t, i18n } = useTranslation();
  const form = useRef<HTMLFormElement>(null);
  const [code, setCode] = useState(codeHere);
  const [login, setLogin] = useState('');
  const [name, setName] = useState('');
  const [password, setPassword] = useState('');
  const make = useMutation({
    mutationFn: () => ask<Account>(found({ body: { code: code.trim(), login: login.trim().toLowerCase(), name: name.trim(), password, language: i18n.resolvedLanguage === 'de' ? 'de' : 'en' } })),
    onSuccess: (account) => {
      window.history.replaceState(null, '', window.location.pathname);
      founded();
      queries.setQueryData(accountQuery.queryKey, account);
      void queries.invalidateQueries({ queryKey: statusQuery.queryKey });
    },
  });
  const wrongs = wrongFields(make.error);
  const wrongCode = hasCode(make.error, 'login');
  useEffect(() => {
    if (make.error) {
      form.current?.querySelector<HTMLElement>('[aria-invalid=true]')?.focus();
    }
  }, [make.error]);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    make.mutate();
  };
  return (
    <form ref={form} onSubmit={submit}>
      <Stack gap="md">
        <div><Title order={2} size="h4">{t('setup.step.operator')}</Title><Text size="sm" c="dimmed">{t('setup.operatorHint')}</Text></div>
        <TextInput label={t('setup.code')} description={t('setup.codeHint')} value={code} required withAsterisk={false} maxLength={100} autoComplete="off" autoCapitalize="characters" spellCheck={false}
          onChange={(e) => setCode(e.currentTarget.value)} error={wrongCode && t('setup.wrongCode')} />
        <TextInput label={t('setup.login')} description={t('setup.loginHint')} value={login} required withAsterisk={false} maxLength={128} autoComplete="username" autoCapitalize="none" spellCheck={false}
          onChange={(e) => setLogin(e.currentTarget.value)} error={wrongs.includes('login') && t('setup.wrongLogin')} />
        <TextInput label={t('setup.name')} value={name} maxLength={200} autoComplete="name" onChange={(e) => setName(e.currentTarget.value)} error={wrongs.includes('name') && t('setup.wrongName')} />
        <PasswordInput label={t('setup.password')} description={t('setup.passwordHint')} value={password} required withAsterisk={false} maxLength={1024} autoComplete="new-password"
          visibilityToggleButtonProps={{ 'aria-hidden': true, tabIndex: -1 }} onChange={(e) => setPassword(e.currentTarget.value)} error={wrongs.includes('password') && t('setup.wrongPassword')} />
        {make.error && !wrongCode && wrongs.length === 0 && <FailureNote error={make.error} compact />}
        <div><Button type="submit" loading={make.isPending}>{t('setup.make')}</Button></div>
      </Stack>
    </form>
  );
}
