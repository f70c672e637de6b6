import { Alert, Button, Group, Modal, NumberInput, Paper, Stack, Switch, Text, TextInput, Title } from '@mantine/core';
import { useMutation, useQuery } from '@tanstack/react-query';
import { getRouteApi, Link, useNavigate } from '@tanstack/react-router';
import { IconAlertTriangle, IconArrowLeft, IconCheck, IconPlugConnected } from '@tabler/icons-react';
import { useEffect, useRef, useState, type FormEvent, type ReactNode } from 'react';
import { useTranslation } from 'react-i18next';

import { changeDirectory, createDirectory, removeDirectory, testDirectory, type Directory, type DirectoryFinding } from '../api';
import { ask, Failure, wrongFields } from '../failure';
import { queries } from '../queries';
import { FailureNote } from '../shell/Failure';
import { Titled } from '../shell/ManualLink';
import { NotFound } from '../shell/NotFound';
import { useAccount, useTitle } from '../shell/usePage';
import classes from './Directories.module.css';
import { bodyOf, draftOf, fieldOf, fingerprint, kinds, settingsOf, type Draft, type Kind } from './draft';
import { ImapFields, LdapFields, OidcFields, Roles } from './Fields';
import { Finding } from './Finding';
import { Plan } from './Plan';
import { directoriesQuery } from './queries';

const route = getRouteApi('/frame/directories/$id');

// DirectoryPage changes a directory, or makes one: its address is then new-ldap and so on.
export function DirectoryPage() {
  const { t } = useTranslation();
  const { id } = route.useParams();
  const allowed = useAccount().role === 'tenant-admin';
  const all = useQuery({ ...directoriesQuery, enabled: allowed });
  const fresh = kinds.find((k) => id === `new-${k}`);
  const directory = all.data?.directories.find((d) => d.id === id);
  useTitle(directory?.name ?? t('directories.title'));
  if (!allowed) {
    return <main className={classes.narrow}><Text role="alert">{t('directories.forbidden')}</Text></main>;
  }
  if (all.error) {
    return <main className={classes.narrow}><FailureNote error={all.error} retry={() => void all.refetch()} /></main>;
  }
  if (!all.data) {
    return null;
  }
  const kind = directory?.kind ?? fresh;
  if (!kind) {
    return <NotFound />;
  }
  return (
    <main className={classes.narrow}>
      <Button component={Link} to="/directories" variant="subtle" color="gray" size="compact-sm" ml={-8} mb="xs" leftSection={<IconArrowLeft size={16} aria-hidden />}>{t('directories.title')}</Button>
      <Titled><Title order={1} size="h2" className={classes.breakable}>{directory?.name ?? t('directories.newTitle', { kind: t(`directories.kind.${kind}`) })}</Title></Titled>
      <Text size="sm" c="dimmed" mb="lg" maw={680}>{t(`directories.kindHint.${kind}`)}</Text>
      <Form key={directory?.id ?? kind} kind={kind} directory={directory} roles={all.data.roles} />
    </main>
  );
}

function Section({ id, title, children }: { id: string; title: string; children: ReactNode }) {
  return (
    <Paper withBorder p="lg" radius="md" component="section" aria-labelledby={id} className={classes.panel}>
      <Title order={2} size="h4" mb="md" id={id}>{title}</Title>
      <Stack gap="md">{children}</Stack>
    </Paper>
  );
}

// words returns what is wrong with the fields that the server has named.
function words(error: unknown): Map<string, string> {
  const out = new Map<string, string>();
  if (error instanceof Failure) {
    for (const { location, message } of error.problem?.errors ?? []) {
      if (location?.startsWith('body.')) out.set(fieldOf(location.slice('body.'.length)), message);
    }
  }
  return out;
}

const explained = ['name', 'host', 'port', 'tls', 'ca', 'pin', 'bind_dn', 'base_dn', 'filter', 'secret', 'roles', 'issuer', 'client_id', 'redirect', 'domains', 'login', 'addresses', 'guard_percent', 'interval_seconds', 'hosted', 'scopes'] as const;

function Form({ kind, directory, roles }: { kind: Kind; directory: Directory | undefined; roles: readonly string[] }) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const form = useRef<HTMLFormElement>(null);
  const [draft, setDraft] = useState(() => draftOf(kind, window.location.origin, directory));
  const [removing, setRemoving] = useState(false);
  const stored = directory?.has_secret ?? false;
  const secret = draft.secret === '' ? {} : { secret: draft.secret };
  const test = useMutation({ mutationFn: () => ask<DirectoryFinding>(testDirectory({ body: { settings: settingsOf(draft), ...secret, ...(directory && { id: directory.id }) } })) });
  const save = useMutation({
    mutationFn: () => ask<Directory>(directory ? changeDirectory({ path: { id: directory.id }, body: bodyOf(draft) }) : createDirectory({ body: bodyOf(draft) })),
    onSuccess: async (saved) => {
      await queries.invalidateQueries({ queryKey: directoriesQuery.queryKey });
      if (directory) setDraft((old) => ({ ...old, secret: '' }));
      else void navigate({ to: '/directories/$id', params: { id: saved.id }, replace: true });
    },
  });
  const failure = save.error ?? test.error;
  const wrongs = words(failure);
  const known = wrongs.size > 0 && wrongFields(failure).length > 0;
  useEffect(() => {
    if (failure) form.current?.querySelector<HTMLElement>('[aria-invalid=true]')?.focus();
  }, [failure]);
  const change = (part: Partial<Draft>) => {
    setDraft((old) => ({ ...old, ...part }));
    if (save.isSuccess) save.reset();
  };
  const wrong = (field: string) => {
    const message = wrongs.get(field);
    const name = explained.find((f) => f === field);
    return message === undefined ? undefined : name ? t(`directories.wrong.${name}`) : message;
  };
  const props = { draft, change, wrong, stored };
  const tryOut = () => {
    save.reset();
    test.mutate();
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (test.error) test.reset();
    save.mutate();
  };
  const server = kind === 'ldap' ? draft.ldap : kind === 'imap' ? draft.imap : undefined;
  const pin = kind === 'ldap' ? (sum: string) => change({ ldap: { ...draft.ldap, pin: sum } }) : kind === 'imap' ? (sum: string) => change({ imap: { ...draft.imap, pin: sum } }) : undefined;
  return (
    <form ref={form} onSubmit={submit} noValidate autoComplete="off">
      <Stack gap="lg">
        <Section id="settings" title={t('directories.settings')}>
          <TextInput label={t('directories.name')} description={t(kind === 'oidc' ? 'directories.nameHintOidc' : 'directories.nameHint')} required value={draft.name} maxLength={200} onChange={(e) => change({ name: e.currentTarget.value })} error={wrong('name')} />
          {kind === 'ldap' && <LdapFields {...props} />}
          {kind === 'oidc' && <OidcFields {...props} />}
          {kind === 'imap' && <ImapFields {...props} />}
          <NumberInput label={t('directories.position')} description={t('directories.positionHint')} value={draft.position} min={0} max={1000} allowDecimal={false} allowNegative={false} onChange={(v) => change({ position: typeof v === 'number' ? v : 0 })} />
          <Switch label={t('directories.enabled')} description={t('directories.enabledHint')} checked={!draft.disabled} onChange={(e) => change({ disabled: !e.currentTarget.checked })} />
        </Section>
        {kind !== 'imap' && <Section id="roles" title={t('directories.rolesTitle')}><Roles {...props} offered={roles} /></Section>}
        <div>
          {failure && (known
            ? <Alert variant="light" color="red" role="alert" mb="md" icon={<IconAlertTriangle aria-hidden />}>{t('smarthost.invalid')}</Alert>
            : <FailureNote error={failure} />)}
          <Group>
            <Button type="submit" loading={save.isPending}>{t('smarthost.save')}</Button>
            <Button variant="default" leftSection={<IconPlugConnected size={16} aria-hidden />} loading={test.isPending} onClick={tryOut}>{t('directories.test')}</Button>
            <Text size="sm" c="dimmed" role="status" component="span">
              {save.isSuccess && <Group gap={6} component="span"><IconCheck size={16} aria-hidden />{t('smarthost.saved')}</Group>}
              {test.isPending && t('directories.testing')}
            </Text>
          </Group>
        </div>
        {test.data && <Section id="finding" title={t('directories.testTitle')}><Finding finding={test.data} pin={pin} pinned={fingerprint(server?.pin ?? '')} /></Section>}
        {directory && kind === 'ldap' && <Section id="plan" title={t('directories.sync')}><Plan id={directory.id} users={directory.users} /></Section>}
        {directory && <div><Button variant="subtle" color="red" onClick={() => setRemoving(true)}>{t('directories.remove')}</Button></div>}
      </Stack>
      {directory && removing && <Remove directory={directory} close={() => setRemoving(false)} />}
    </form>
  );
}

function Remove({ directory, close }: { directory: Directory; close: () => void }) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const remove = useMutation({
    mutationFn: () => ask(removeDirectory({ path: { id: directory.id } })),
    onSuccess: async () => {
      await navigate({ to: '/directories' });
      void queries.invalidateQueries({ queryKey: directoriesQuery.queryKey });
    },
  });
  return (
    <Modal opened onClose={close} title={t('directories.removeTitle', { name: directory.name })} closeButtonProps={{ 'aria-label': t('app.close') }}>
      <Stack>
        <Text size="sm">{t('directories.removeHint', { count: directory.users })}</Text>
        {remove.error && <FailureNote error={remove.error} compact />}
        <Group justify="flex-end">
          <Button variant="default" onClick={close}>{t('routing.cancel')}</Button>
          <Button color="red" loading={remove.isPending} onClick={() => remove.mutate()}>{t('directories.remove')}</Button>
        </Group>
      </Stack>
    </Modal>
  );
}
