import { ActionIcon, Alert, Button, Group, Skeleton, Stack, Text, Title, Tooltip, VisuallyHidden } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { IconArrowLeft, IconDownload, IconEyeOff, IconMailX, IconTrash, IconX } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';

import access from '../access/Access.module.css';
import { grant } from '../access/grant';
import type { Message } from '../api';
import { DeletionButton } from '../deletion/DeletionButton';
import { mayDelete } from '../deletion/queries';
import { Failure, hasCode } from '../failure';
import { formatDateTime, formatLongDateTime, formatRelative, plain } from '../format';
import { messageQuery, rawAddress } from '../queries';
import { FailureNote } from '../shell/Failure';
import { useLate } from '../shell/useLate';
import { useAccount } from '../shell/usePage';
import { SealNote } from '../evidence/SealNote';
import { Attachments } from './Attachments';
import { Body } from './Body';
import { DocumentFacts } from './DocumentFacts';
import { IntegrityNote } from './IntegrityNote';
import classes from './MessagePane.module.css';
import { People } from './People';

type Props = { id: string; q: string; close: () => void };

// MessagePane shows one archived message: what it is, that it is unchanged, and
// what it says.
export function MessagePane({ id, q, close }: Props) {
  const { t } = useTranslation();
  const message = useQuery(messageQuery(id, q));
  const late = useLate(message.isPending);
  const back = (
    <Button variant="subtle" color="gray" size="compact-md" leftSection={<IconArrowLeft size={18} aria-hidden />} onClick={close} className={classes.back}>
      {t('message.back')}
    </Button>
  );
  if (message.data) {
    return <Shown message={message.data} q={q} back={back} close={close} />;
  }
  if (message.error) {
    return (
      <div className={classes.note}>
        {back}
        {hasCode(message.error, 'not-found') ? <Gone /> : hasCode(message.error, 'deleted') ? <Deleted error={message.error} /> : <FailureNote error={message.error} retry={() => void message.refetch()} />}
      </div>
    );
  }
  return <div className={classes.note}>{back}{late && <Ghost />}</div>;
}

// Deleted is what is left for those who see tombstones.
function Deleted({ error }: { error: unknown }) {
  const { t, i18n } = useTranslation();
  const zone = useAccount().tenant?.zone;
  const at = error instanceof Failure ? error.problem?.errors?.[0]?.args?.['at'] : undefined;
  return (
    <Stack align="center" gap="xs" py="15vh" ta="center" role="alert">
      <IconTrash size={40} stroke={1.2} aria-hidden />
      <Text fw={600}>{t('deletion.wasDeleted')}</Text>
      <Text size="sm" c="dimmed" maw={360}>{at ? t('deletion.wasDeletedAt', { date: formatDateTime(at, i18n.language, zone) }) : t('failure.deleted')}</Text>
      <Text size="sm"><Link to="/access/tombstones" className={access.link}>{t('deletion.tombstones')}</Link></Text>
    </Stack>
  );
}

function Gone() {
  const { t } = useTranslation();
  return (
    <Stack align="center" gap="xs" py="15vh" ta="center" role="alert">
      <IconMailX size={40} stroke={1.2} aria-hidden />
      <Text fw={600}>{t('message.gone')}</Text>
      <Text size="sm" c="dimmed" maw={360}>{t('message.goneHint')}</Text>
    </Stack>
  );
}

function Ghost() {
  return (
    <Stack gap="sm" aria-hidden>
      <Skeleton height={24} width="70%" />
      <Skeleton height={14} width="45%" />
      <Skeleton height={14} width="30%" />
      <Skeleton height={220} mt="md" />
    </Stack>
  );
}

function Shown({ message, q, back, close }: { message: Message; q: string; back: React.ReactNode; close: () => void }) {
  const { t } = useTranslation();
  const deletes = mayDelete(useAccount().role);
  return (
    <article className={classes.message} aria-labelledby="subject">
      <header className={classes.head}>
        {back}
        <Group justify="space-between" align="flex-start" wrap="nowrap" gap="xs">
          <Title order={2} id="subject" className={classes.subject}>{plain(message.subject) || t('search.noSubject')}</Title>
          <Group gap={4} wrap="nowrap" className={classes.actions}>
            <Tooltip label={t(message.file ? 'documents.downloadHint' : 'message.downloadHint')}>
              <Button
                component="a"
                href={rawAddress(message.id)}
                download
                variant="default"
                size="xs"
                leftSection={<IconDownload size={16} aria-hidden />}
                aria-label={t('message.download')}
                classNames={{ label: classes.actionLabel, section: classes.actionIcon }}
              >
                {t('message.download')}
              </Button>
            </Tooltip>
            {deletes && <DeletionButton ids={[message.id]} size="xs" classNames={{ label: classes.rareLabel, section: classes.rareIcon }} />}
            <ActionIcon variant="subtle" color="gray" size={30} aria-label={t('app.close')} onClick={close} className={classes.close}>
              <IconX size={18} aria-hidden />
            </ActionIcon>
          </Group>
        </Group>
        {message.file ? <DocumentFacts message={message} /> : <People parties={message.parties} />}
        {!message.file?.date && <Dates message={message} />}
        <IntegrityNote message={message} />
        {/* What proves a message is for those whose mail it is. */}
        {!grant() && <SealNote id={message.id} />}
        {message.bcc_hidden && (
          <Alert variant="light" color="gray" py={6} icon={<IconEyeOff size={18} aria-hidden />}>{t('message.downloadRedacted')}</Alert>
        )}
        <Attachments id={message.id} attachments={message.attachments} />
      </header>
      <VisuallyHidden><h3>{t('message.view')}</h3></VisuallyHidden>
      <Body message={message} q={q} />
    </article>
  );
}

function Dates({ message }: { message: Message }) {
  const { t, i18n } = useTranslation();
  const zone = useAccount().tenant?.zone;
  const at = (iso: string) => formatDateTime(iso, i18n.language, zone);
  const claimed = message.date_claimed && at(message.date_claimed) !== at(message.date) ? message.date_claimed : undefined;
  return (
    <Text size="sm" c="dimmed">
      <time dateTime={message.date} title={`${formatLongDateTime(message.date, i18n.language, zone)} (${formatRelative(message.date, i18n.language)})`}>{at(message.date)}</time>
      {claimed && <> · {t('message.dateClaimed', { date: at(claimed) })}</>}
    </Text>
  );
}
