import { Button, Group, Paper, Text, Title } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';

import { cancelUpload, type Upload } from '../api';
import { ask } from '../failure';
import { formatDateTime, formatSize, plain } from '../format';
import { FailureNote } from '../shell/Failure';
import { useAccount } from '../shell/usePage';
import { Outcome, Why } from './Outcome';
import classes from './Upload.module.css';

// Earlier lists what was given before this page was loaded: what was broken off, and
// the reports.
export function Earlier({ uploads, changed }: { uploads: readonly Upload[]; changed: () => void }) {
  const { t } = useTranslation();
  const forget = useMutation({ mutationFn: (id: string) => ask(cancelUpload({ path: { id } })), onSettled: changed });
  if (uploads.length === 0) {
    return null;
  }
  return (
    <Paper withBorder p="md" radius="md" className={classes.panel}>
      <Title order={2} size="h4" mb={4}>{t('upload.earlier')}</Title>
      {uploads.some((u) => u.state === 'open') && <Text size="sm" mb="sm">{t('upload.resumeHint')}</Text>}
      {forget.error && <FailureNote error={forget.error} />}
      <ul className={classes.list} aria-label={t('upload.earlier')}>
        {uploads.slice(0, 100).map((u) => <Row key={u.id} upload={u} forget={() => forget.mutate(u.id)} />)}
      </ul>
    </Paper>
  );
}

function Row({ upload: u, forget }: { upload: Upload; forget: () => void }) {
  const { t, i18n } = useTranslation();
  const zone = useAccount().tenant?.zone;
  const name = plain(u.name);
  return (
    <li className={classes.row}>
      <div className={classes.what}>
        <Text size="sm" fw={600} className={classes.name}>{name}</Text>
        <Text size="xs" c="dimmed">{formatSize(u.size, i18n.language)} · {formatDateTime(u.created_at, i18n.language, zone)} · {t(`upload.state.${u.state}`)}</Text>
      </div>
      <div className={classes.wide}>
        {u.state === 'open' && <Text size="sm">{t('upload.received', { size: formatSize(u.received, i18n.language) })}</Text>}
        {u.result && <Outcome upload={u} />}
        {u.state === 'failed' && <Why error={undefined} reason={u.reason} />}
      </div>
      <Group gap={6} wrap="nowrap">
        <Button size="compact-xs" variant="default" onClick={forget} aria-label={t(u.state === 'open' ? 'upload.cancelNamed' : 'upload.forgetNamed', { name })}>{t(u.state === 'open' ? 'upload.cancel' : 'upload.forget')}</Button>
      </Group>
    </li>
  );
}
