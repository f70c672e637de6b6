import { Alert, Button, Group, Stack, Text, TextInput } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { IconAlertTriangle, IconCheck, IconMailForward } from '@tabler/icons-react';
import { useEffect, useRef, useState, type FormEvent } from 'react';
import { useTranslation } from 'react-i18next';

import { changeSmarthost, testSmarthost, type SmarthostFinding, type SmarthostState } from '../api';
import { ask, wrongFields } from '../failure';
import { outboxQuery, queries, smarthostQuery } from '../queries';
import { FailureNote } from '../shell/Failure';
import { draftOf, fieldsOf, smarthostOf, type Draft, type Field } from './draft';
import { Finding } from './Finding';
import { Advanced, LogInFields, SenderFields, ServerFields } from './Fields';
import { Section } from './SmarthostPage';

// SmarthostForm changes and tries the settings.
export function SmarthostForm({ state }: { state: SmarthostState }) {
  const { t } = useTranslation();
  const form = useRef<HTMLFormElement>(null);
  const [draft, setDraft] = useState(() => draftOf(state.smarthost));
  const [to, setTo] = useState('');
  const password = draft.password === '' ? {} : { password: draft.password };
  const test = useMutation({
    mutationFn: () => ask<SmarthostFinding>(testSmarthost({ body: { smarthost: smarthostOf(draft), ...password, ...(to.trim() && { to: to.trim() }) } })),
  });
  const save = useMutation({
    mutationFn: () => ask<SmarthostState>(changeSmarthost({ body: { smarthost: smarthostOf(draft), ...password } })),
    onSuccess: (saved) => {
      queries.setQueryData(smarthostQuery.queryKey, saved);
      void queries.invalidateQueries({ queryKey: outboxQuery.queryKey });
      setDraft(draftOf(saved.smarthost));
    },
  });
  const failure = save.error ?? test.error;
  const wrongs = fieldsOf(wrongFields(failure));
  const known = wrongs.length > 0 && wrongs.every(Boolean);
  useEffect(() => {
    if (failure) {
      form.current?.querySelector<HTMLElement>('[aria-invalid=true]')?.focus();
    }
  }, [failure]);
  const change = (part: Partial<Draft>) => {
    setDraft((old) => ({ ...old, ...part }));
    if (save.isSuccess) save.reset();
  };
  const wrong = (field: Field) => wrongs.includes(field) && t(`smarthost.wrong.${field}`);
  const props = { draft, change, wrong };
  const tryOut = () => {
    save.reset();
    test.mutate();
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (test.error) {
      test.reset(); // its findings stay, its mistakes are judged anew
    }
    save.mutate();
  };
  return (
    <form ref={form} onSubmit={submit} noValidate autoComplete="off">
      <Stack gap="lg">
        <Section id="server" title={t('smarthost.server')}>
          <ServerFields {...props} />
          <LogInFields {...props} stored={state.has_password} />
          <SenderFields {...props} />
          <Advanced {...props} wrongs={wrongs} />
          {failure && (known
            ? <Alert variant="light" color="red" role="alert" icon={<IconAlertTriangle aria-hidden />}>{t('smarthost.invalid')}</Alert>
            : <FailureNote error={failure} />)}
          <Group>
            <Button type="submit" loading={save.isPending}>{t('smarthost.save')}</Button>
            <Text size="sm" c="dimmed" role="status" component="span">
              {save.isSuccess && <Group gap={6} component="span"><IconCheck size={16} aria-hidden />{t('smarthost.saved')}</Group>}
            </Text>
          </Group>
        </Section>
        <Section id="test" title={t('smarthost.test')}>
          <Text size="sm" c="dimmed">{t('smarthost.testHint')}</Text>
          <TextInput label={t('smarthost.to')} description={t('smarthost.toHint')} value={to} maxLength={254} type="email" autoCapitalize="none" spellCheck={false}
            onChange={(e) => setTo(e.currentTarget.value)} error={wrong('to')} />
          <div>
            <Button variant="default" leftSection={<IconMailForward size={16} aria-hidden />} loading={test.isPending} onClick={tryOut}>
              {t(to.trim() ? 'smarthost.sendTest' : 'smarthost.tryLogIn')}
            </Button>
            <Text size="sm" c="dimmed" mt={4} role="status">{test.isPending ? t('smarthost.testing') : ''}</Text>
          </div>
          {test.data && <Finding finding={test.data} draft={draft} change={change} />}
        </Section>
      </Stack>
    </form>
  );
}
