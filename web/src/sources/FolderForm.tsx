import { Alert, Button, Group, NumberInput, Paper, Stack, Switch, TagsInput, Text, TextInput } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { IconAlertTriangle } from '@tabler/icons-react';
import { useState, type FormEvent } from 'react';
import { useTranslation } from 'react-i18next';

import { changeSource, createSource, type FolderProblem, type Source } from '../api';
import { ask, wrongFields } from '../failure';
import { plain } from '../format';
import { queries, sourcesQuery } from '../queries';
import { FailureNote } from '../shell/Failure';
import { useAccount } from '../shell/usePage';
import classes from './Sources.module.css';

const known = ['name', 'category', 'folder.directory', 'folder.owners', 'folder.settle_seconds'];

// FolderForm adds or changes a watched folder.
export function FolderForm({ source }: { source?: Source }) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const tenant = useAccount().tenant?.slug ?? '';
  const [name, setName] = useState(source?.name ?? '');
  const [category, setCategory] = useState(source?.category ?? '');
  const [directory, setDirectory] = useState(source?.folder?.directory ?? '');
  const [owners, setOwners] = useState<string[]>(source?.folder?.owners ?? []);
  const [mail, setMail] = useState(!source?.folder?.documents_only);
  const [settle, setSettle] = useState<number | string>(source?.folder?.settle_seconds || 10);
  const [active, setActive] = useState(!source?.disabled);
  const save = useMutation({
    mutationFn: () => {
      const body = { name, category, disabled: !active, folder: { directory, owners, documents_only: !mail, settle_seconds: Number(settle) || 0 } };
      return source ? ask<Source>(changeSource({ path: { id: source.id }, body })) : ask<Source>(createSource({ body: { kind: 'folder', ...body } }));
    },
    onSuccess: async () => {
      await queries.invalidateQueries({ queryKey: sourcesQuery.queryKey });
      void navigate({ to: '/sources' });
    },
  });
  const wrong = wrongFields(save.error).map((f) => f.replace(/\[.*$/u, ''));
  const told = wrong.length > 0 && wrong.every((f) => known.includes(f));
  const submit = (event: FormEvent) => {
    event.preventDefault();
    save.mutate();
  };
  return (
    <form onSubmit={submit} noValidate>
      <Paper withBorder p="lg" radius="md" className={classes.panel}>
        <Stack gap="md">
          {!source && <Text size="sm">{t('folder.hint')}</Text>}
          <TextInput label={t('sources.name')} required value={name} maxLength={200} onChange={(e) => setName(e.currentTarget.value)} error={wrong.includes('name') && t('sources.wrong.name')} />
          <TextInput label={t('folder.directory')} description={t('folder.directoryHint', { tenant })} value={directory} maxLength={500} onChange={(e) => setDirectory(e.currentTarget.value)} error={wrong.includes('folder.directory') && t('folder.wrongDirectory')} />
          <TagsInput label={t('folder.owners')} description={t('folder.ownersHint')} required value={owners} onChange={setOwners} splitChars={[',', ' ', ';']} acceptValueOnBlur error={wrong.includes('folder.owners') && t('folder.wrongOwners')} />
          <TextInput label={t('sources.category')} description={t('sources.categoryHint')} value={category} maxLength={200} onChange={(e) => setCategory(e.currentTarget.value)} error={wrong.includes('category') && t('sources.wrong.category')} />
          <Switch checked={mail} onChange={(e) => setMail(e.currentTarget.checked)} label={t('folder.mail')} description={t('folder.mailHint')} />
          <NumberInput label={t('folder.settle')} description={t('folder.settleHint')} value={settle} min={1} max={3600} onChange={setSettle} error={wrong.includes('folder.settle_seconds') && t('folder.wrongSettle')} />
          <Switch checked={active} onChange={(e) => setActive(e.currentTarget.checked)} label={t('folder.active')} />
        </Stack>
      </Paper>
      {save.error && (told
        ? <Alert mt="md" variant="light" color="red" role="alert" icon={<IconAlertTriangle aria-hidden />}>{t('sources.invalid')}</Alert>
        : <FailureNote error={save.error} />)}
      <Group mt="lg">
        <Button type="submit" loading={save.isPending}>{t(source ? 'sources.save' : 'folder.create')}</Button>
        <Button variant="default" renderRoot={(props) => <Link to="/sources" {...props} />}>{t('sources.cancel')}</Button>
      </Group>
    </form>
  );
}

// FolderTrouble says what is wrong with a watched folder.
export function FolderTrouble({ problem }: { problem: FolderProblem }) {
  const { t } = useTranslation();
  return (
    <div className={classes.trouble}>
      <Text size="sm" fw={600}>{t(`folder.problem.${problem.code}`)}</Text>
      {problem.detail && <Text size="xs" c="dimmed" className={classes.breakable}>{plain(problem.detail)}</Text>}
    </div>
  );
}

// FolderFigures tells how a watched folder fares.
export function FolderFigures({ source }: { source: Source }) {
  const { t } = useTranslation();
  const s = source.folder_state;
  return <Text size="sm" c="dimmed">{s ? t('folder.figures', { stored: s.stored, known: s.known, failed: s.failed, waiting: s.waiting }) : t('sources.never')}</Text>;
}
