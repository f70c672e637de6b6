import { Alert, Button, Group, Paper, Stack, Switch, Text, TextInput, Title } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { IconAlertTriangle } from '@tabler/icons-react';
import { useCallback, useEffect, useRef, useState, type FormEvent, type ReactNode } from 'react';
import { useTranslation } from 'react-i18next';

import { beginMailboxLogIn, changeSource, createSource, testMailbox, type MailboxFinding, type MailboxLogInState, type Source } from '../api';
import { ask, wrongFields } from '../failure';
import { oneSourceQuery, queries, sourcesQuery } from '../queries';
import { FailureNote } from '../shell/Failure';
import { Advanced } from './AdvancedFields';
import { CodeDialog } from './CodeDialog';
import { Afterwards, Selection } from './FetchFields';
import { draftOf, fieldsOf, mailboxOf, secretOf, type Draft, type Field } from './draft';
import { LogInFields } from './LogInFields';
import { ServerFields } from './ServerFields';
import { TestResult } from './TestResult';
import classes from './Sources.module.css';

export type FieldProps = {
  draft: Draft;
  change: (part: Partial<Draft>) => void;
  // wrong returns what is wrong with a field, in words, or false.
  wrong: (field: Field) => string | false;
};

// MailboxForm adds or changes a remote mailbox.
export function MailboxForm({ source }: { source?: Source }) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const form = useRef<HTMLFormElement>(null);
  const [draft, setDraft] = useState(() => draftOf(source));
  const test = useMutation({
    mutationFn: () => ask<MailboxFinding>(testMailbox({ body: { mailbox: mailboxOf(draft), ...secretOf(draft), ...(source && { id: source.id }) } })),
  });
  const save = useMutation({
    mutationFn: () => {
      const body = { name: draft.name, category: draft.category, disabled: !draft.active, mailbox: mailboxOf(draft), ...secretOf(draft) };
      return source ? ask<Source>(changeSource({ path: { id: source.id }, body })) : ask<Source>(createSource({ body: { kind: 'mailbox', ...body } }));
    },
    onSuccess: async (saved) => {
      queries.setQueryData(oneSourceQuery(saved.id).queryKey, saved);
      await queries.invalidateQueries({ queryKey: sourcesQuery.queryKey, exact: true });
      void navigate({ to: '/sources' });
    },
  });
  const begin = useMutation({
    mutationFn: () => ask<MailboxLogInState>(beginMailboxLogIn({
      body: { mailbox: mailboxOf(draft), ...(draft.password !== '' && { client_secret: draft.password }), ...(source && { id: source.id }) },
    })),
  });
  const closeCode = begin.reset;
  const loggedIn = useCallback((logIn: string) => {
    setDraft((old) => ({ ...old, logIn }));
    closeCode();
  }, [closeCode]);
  const failure = save.error ?? test.error ?? begin.error;
  const wrongs = fieldsOf(wrongFields(failure));
  const known = wrongs.length > 0 && wrongs.every(Boolean);
  useEffect(() => {
    if (failure) {
      form.current?.querySelector<HTMLElement>('[aria-invalid=true]')?.focus();
    }
  }, [failure]);
  const change = (part: Partial<Draft>) => setDraft((old) => ({ ...old, ...part }));
  const wrong = (field: Field) => wrongs.includes(field) && t(`sources.wrong.${field}`);
  const fields: FieldProps = { draft, change, wrong };
  const tryOut = () => {
    save.reset();
    begin.reset();
    test.mutate();
  };
  const askForCode = () => {
    save.reset();
    test.reset();
    begin.mutate();
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
        <Section id="server" title={t('sources.server')}>
          <ServerFields {...fields} />
          <LogInFields {...fields} stored={storedFor(source, draft)} begin={askForCode} beginning={begin.isPending} />
          <Advanced {...fields} wrongs={wrongs} />
          <div>
            <Button variant="default" loading={test.isPending} onClick={tryOut}>{t('sources.test')}</Button>
            <Text size="sm" c="dimmed" mt={4} role="status">{test.isPending ? t('sources.testing') : ''}</Text>
          </div>
          {test.data && <TestResult finding={test.data} draft={draft} change={change} />}
        </Section>
        <Section id="general" title={t('sources.general')}>
          <TextInput label={t('sources.name')} description={t('sources.nameHint')} required value={draft.name} maxLength={200} onChange={(e) => change({ name: e.currentTarget.value })} error={wrong('name')} />
          <TextInput label={t('sources.category')} description={t('sources.categoryHint')} value={draft.category} maxLength={200} onChange={(e) => change({ category: e.currentTarget.value })} error={wrong('category')} />
          <Switch checked={draft.active} onChange={(e) => change({ active: e.currentTarget.checked })} label={t('sources.active')} description={t('sources.activeHint')} />
        </Section>
        <Section id="fetch" title={t('sources.whatToFetch')}><Selection {...fields} folders={test.data?.folders ?? []} /></Section>
        <Section id="afterwards" title={t('sources.afterwards')}><Afterwards {...fields} /></Section>
        {failure && (known
          ? <Alert variant="light" color="red" role="alert" icon={<IconAlertTriangle aria-hidden />}>{t('sources.invalid')}</Alert>
          : <FailureNote error={failure} />)}
        <Group>
          <Button type="submit" loading={save.isPending}>{t(source ? 'sources.save' : 'sources.create')}</Button>
          <Button variant="default" renderRoot={(props) => <Link to="/sources" {...props} />}>{t('sources.cancel')}</Button>
        </Group>
      </Stack>
      {begin.data && <CodeDialog begun={begin.data} user={draft.user} done={loggedIn} close={closeCode} />}
    </form>
  );
}

// storedFor reports whether something is kept for this way to log in.
function storedFor(source: Source | undefined, draft: Draft): boolean {
  const m = source?.mailbox;
  return (source?.has_password ?? false) && (m?.oauth || 'password') === draft.oauth && (m?.method ?? '') === draft.method;
}

function Section({ id, title, children }: { id: string; title: string; children: ReactNode }) {
  return (
    <Paper withBorder p="lg" radius="md" component="section" aria-labelledby={id} className={classes.panel}>
      <Title order={2} size="h4" mb="md" id={id}>{title}</Title>
      <Stack gap="md">{children}</Stack>
    </Paper>
  );
}
