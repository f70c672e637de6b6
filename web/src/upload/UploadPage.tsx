import { Alert, Button, Group, Paper, SegmentedControl, Stack, Text, TextInput, Title, VisuallyHidden } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { IconCloudUpload, IconInfoCircle } from '@tabler/icons-react';
import { useRef, useState, useSyncExternalStore, type DragEvent } from 'react';
import { useTranslation } from 'react-i18next';

import { listUploads } from '../api';
import { ask } from '../failure';
import { formatNumber, formatSize } from '../format';
import { FailureNote } from '../shell/Failure';
import { Titled } from '../shell/ManualLink';
import { useAccount, useTitle } from '../shell/usePage';
import { Chosen } from './Chosen';
import { Earlier } from './Earlier';
import { Progress } from './Progress';
import { ended, Sender, server, type Kind } from './sender';
import classes from './Upload.module.css';

// One for the page as long as it is loaded: files go on while the reader looks at
// something else.
const sender = new Sender(server);

// UploadPage takes files: documents from everybody, mail from administrators.
export function UploadPage() {
  const { t, i18n } = useTranslation();
  useTitle(t('upload.title'));
  const { addresses } = useAccount();
  const [kind, setKind] = useState<Kind>('document');
  const items = useSyncExternalStore(sender.subscribe, sender.snapshot);
  const uploads = useQuery({ queryKey: ['uploads'], queryFn: ({ signal }) => ask(listUploads({ signal })), refetchOnMount: 'always' });
  const chosen = items.filter((i) => i.phase === 'chosen' && i.kind === kind);
  const under = items.filter((i) => i.phase !== 'chosen');
  const mayImport = uploads.data?.may_import ?? false;
  const noAddress = kind === 'document' && addresses.length === 0;
  const again = () => void uploads.refetch();
  return (
    <main className={classes.page}>
      <Titled><Title order={1} size="h2">{t('upload.title')}</Title></Titled>
      <Text size="sm" c="dimmed" maw={680} mb="lg">{t(kind === 'mail' ? 'upload.introMail' : 'upload.introDocument')}</Text>
      <Stack gap="md">
        {uploads.error && <FailureNote error={uploads.error} retry={again} />}
        {mayImport && (
          <SegmentedControl
            value={kind}
            onChange={(v) => setKind(v === 'mail' ? 'mail' : 'document')}
            data={[{ value: 'document', label: t('upload.documents') }, { value: 'mail', label: t('upload.mail') }]}
            aria-label={t('upload.what')}
            className={classes.kinds}
          />
        )}
        {noAddress && <Alert variant="light" color="orange" icon={<IconInfoCircle size={18} aria-hidden />}>{t('upload.noAddress')}</Alert>}
        {uploads.data && !noAddress && (
          <Drop kind={kind} take={(files) => sender.add(files, kind)} limit={formatSize(uploads.data.max_size, i18n.language)} />
        )}
        {chosen.length > 0 && (
          <Paper withBorder p="md" radius="md" className={classes.panel}>
            <ForAll key={kind} kind={kind} apply={(change) => chosen.forEach((i) => sender.change(i.key, change))} />
            <Chosen items={chosen} change={(key, change) => sender.change(key, change)} remove={(key) => sender.remove(key)} />
            <Group mt="md">
              <Button onClick={() => sender.start(kind)}>{t('upload.start', { count: chosen.length, number: formatNumber(chosen.length, i18n.language) })}</Button>
              <Button variant="default" onClick={() => chosen.forEach((i) => sender.remove(i.key))}>{t('upload.clearChosen')}</Button>
            </Group>
          </Paper>
        )}
        {under.length > 0 && <Progress items={under} cancel={(key) => void sender.cancel(key)} again={(key) => sender.again(key)} clear={() => { sender.clear(); again(); }} />}
        {uploads.data && <Earlier uploads={uploads.data.uploads.filter((u) => !items.some((i) => i.upload?.id === u.id))} changed={again} />}
      </Stack>
      <VisuallyHidden role="status">{under.length > 0 && under.every((i) => ended(i.phase)) ? t('upload.allEnded') : ''}</VisuallyHidden>
    </main>
  );
}

function Drop({ kind, take, limit }: { kind: Kind; take: (files: File[]) => void; limit: string }) {
  const { t } = useTranslation();
  const [over, setOver] = useState(false);
  const input = useRef<HTMLInputElement>(null);
  const drop = (event: DragEvent) => {
    event.preventDefault();
    setOver(false);
    take([...event.dataTransfer.files]);
  };
  return (
    <div
      className={classes.drop}
      data-over={over || undefined}
      onDragOver={(event) => { event.preventDefault(); setOver(true); }}
      onDragLeave={() => setOver(false)}
      onDrop={drop}
    >
      <IconCloudUpload size={36} stroke={1.3} aria-hidden />
      <Text fw={600}>{t('upload.drop')}</Text>
      <Text size="sm" c="dimmed">{t(kind === 'mail' ? 'upload.dropMail' : 'upload.dropDocument', { limit: kind === 'mail' ? limit : '256 MiB' })}</Text>
      <Button variant="default" onClick={() => input.current?.click()}>{t('upload.choose')}</Button>
      <input
        ref={input}
        type="file"
        multiple
        hidden
        aria-label={t('upload.choose')}
        onChange={(event) => {
          take([...(event.currentTarget.files ?? [])]);
          event.currentTarget.value = '';
        }}
      />
    </div>
  );
}

type Shared = { category?: string; date?: string };

// ForAll sets what all chosen files have in common; each can still be changed.
function ForAll({ kind, apply }: { kind: Kind; apply: (change: Shared) => void }) {
  const { t } = useTranslation();
  const [category, setCategory] = useState('');
  const [date, setDate] = useState('');
  return (
    <Group align="flex-end" mb="md" gap="sm">
      <TextInput label={t('upload.categoryAll')} value={category} maxLength={200} onChange={(e) => { setCategory(e.currentTarget.value); apply({ category: e.currentTarget.value }); }} />
      {kind === 'document' && (
        <TextInput type="date" label={t('upload.dateAll')} value={date} min="1800-01-01" max="9999-12-31" onChange={(e) => { setDate(e.currentTarget.value); apply({ date: e.currentTarget.value }); }} />
      )}
    </Group>
  );
}
