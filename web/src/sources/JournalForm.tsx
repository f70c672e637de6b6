import { Alert, Button, Group, Paper, Stack, Switch, Text, Textarea, TextInput } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { IconAlertTriangle } from '@tabler/icons-react';
import { useState, type FormEvent } from 'react';
import { useTranslation } from 'react-i18next';

import { changeSource, createSource, type Source } from '../api';
import { ask, wrongFields } from '../failure';
import { queries, sourcesQuery } from '../queries';
import { FailureNote } from '../shell/Failure';
import { fieldsOf } from './draft';
import classes from './Sources.module.css';

// JournalForm adds or changes an address that takes journal reports.
export function JournalForm({ source }: { source?: Source }) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const [name, setName] = useState(source?.name ?? '');
  const [category, setCategory] = useState(source?.category ?? '');
  const [active, setActive] = useState(!source?.disabled);
  const [peers, setPeers] = useState((source?.hint_peers ?? []).join('\n'));
  const [workspace, setWorkspace] = useState(source?.google_workspace ?? false);
  const save = useMutation({
    mutationFn: () =>
      source
        ? ask<Source>(changeSource({ path: { id: source.id }, body: { name, category, disabled: !active, google_workspace: workspace, hint_peers: peers.split(/[\s,;]+/u).filter(Boolean) } }))
        : ask<Source>(createSource({ body: { kind: 'journal', name, category, disabled: !active } })),
    onSuccess: async () => {
      await queries.invalidateQueries({ queryKey: sourcesQuery.queryKey });
      void navigate({ to: '/sources' });
    },
  });
  const wrong = fieldsOf(wrongFields(save.error));
  const known = (wrong.length > 0 && wrong.every(Boolean)) || wrongFields(save.error).includes('hint_peers');
  const submit = (event: FormEvent) => {
    event.preventDefault();
    save.mutate();
  };
  return (
    <form onSubmit={submit} noValidate>
      <Paper withBorder p="lg" radius="md" className={classes.panel}>
        <Stack gap="md">
          {!source && <Text size="sm">{t('sources.journalHint')}</Text>}
          <TextInput label={t('sources.name')} required value={name} maxLength={200} onChange={(e) => setName(e.currentTarget.value)} error={wrong.includes('name') && t('sources.wrong.name')} />
          <TextInput label={t('sources.category')} description={t('sources.categoryHint')} value={category} maxLength={200} onChange={(e) => setCategory(e.currentTarget.value)} error={wrong.includes('category') && t('sources.wrong.category')} />
          <Switch checked={active} onChange={(e) => setActive(e.currentTarget.checked)} label={t('sources.activeJournal')} description={t('sources.activeJournalHint')} />
          {source && <Switch checked={workspace} onChange={(e) => setWorkspace(e.currentTarget.checked)} label={t('routing.workspace')} description={t('routing.workspaceHint')} />}
          {source && <Textarea label={t('routing.hintPeers')} description={t('routing.hintPeersHint')} value={peers} autosize minRows={2} maxRows={8} spellCheck={false} onChange={(e) => setPeers(e.currentTarget.value)} error={wrongFields(save.error).includes('hint_peers') && t('routing.wrong.peers')} />}
        </Stack>
      </Paper>
      {save.error && (known
        ? <Alert mt="md" variant="light" color="red" role="alert" icon={<IconAlertTriangle aria-hidden />}>{t('sources.invalid')}</Alert>
        : <FailureNote error={save.error} />)}
      <Group mt="lg">
        <Button type="submit" loading={save.isPending}>{t(source ? 'sources.save' : 'sources.create')}</Button>
        <Button variant="default" renderRoot={(props) => <Link to="/sources" {...props} />}>{t('sources.cancel')}</Button>
      </Group>
    </form>
  );
}
