import { Button, Stack, Text, Title } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link, useParams, useSearch } from '@tanstack/react-router';
import { IconArrowLeft } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';

import type { Source } from '../api';
import { formatDateTime, plain } from '../format';
import { hasCode } from '../failure';
import { HistoryPanel } from '../history/HistoryPanel';
import { oneSourceQuery } from '../queries';
import { FailureNote, PageLoading } from '../shell/Failure';
import { Titled } from '../shell/ManualLink';
import { useAccount, useTitle } from '../shell/usePage';
import { healthOf } from './health';
import { FolderFigures, FolderForm, FolderTrouble } from './FolderForm';
import { JournalForm } from './JournalForm';
import { LeftList } from './LeftList';
import { MailboxForm } from './MailboxForm';
import { HealthSign, JournalAddress, ProblemNote } from './Signs';
import classes from './Sources.module.css';

// NewSourcePage adds a mailbox, or a journal address if the address says so.
export function NewSourcePage() {
  const { t } = useTranslation();
  const { kind } = useSearch({ from: '/frame/sources/new' });
  const allowed = useAccount().role === 'tenant-admin';
  const title = t(kind === 'journal' ? 'sources.newJournal' : kind === 'folder' ? 'folder.new' : 'sources.newMailbox');
  if (!allowed) {
    return <Page title={title}><Text role="alert">{t('sources.forbidden')}</Text></Page>;
  }
  return <Page title={title}>{kind === 'journal' ? <JournalForm /> : kind === 'folder' ? <FolderForm /> : <MailboxForm />}</Page>;
}

// SourcePage shows one source with its settings and what stays on its server.
export function SourcePage() {
  const { t } = useTranslation();
  const { id } = useParams({ from: '/frame/sources/$id' });
  const allowed = useAccount().role === 'tenant-admin';
  const source = useQuery({ ...oneSourceQuery(id), enabled: allowed, refetchOnMount: 'always' });
  if (!allowed) {
    return <Page title={t('sources.title')}><Text role="alert">{t('sources.forbidden')}</Text></Page>;
  }
  if (source.data) {
    const name = plain(source.data.name);
    const mailbox = source.data.kind === 'mailbox';
    return (
      <Page title={t(mailbox ? 'sources.editMailbox' : source.data.kind === 'folder' ? 'folder.edit' : 'sources.editJournal', { name })}>
        {mailbox && <Mailbox source={source.data} />}
        {source.data.kind === 'journal' && <Journal source={source.data} />}
        {source.data.kind === 'folder' && <Folder source={source.data} />}
        {!mailbox && source.data.kind !== 'journal' && source.data.kind !== 'folder' && <Text>{t('sources.notHere')}</Text>}
      </Page>
    );
  }
  if (source.error) {
    return (
      <Page title={t('sources.title')}>
        {hasCode(source.error, 'not-found') ? <Text role="alert">{t('sources.gone')}</Text> : <FailureNote error={source.error} retry={() => void source.refetch()} />}
      </Page>
    );
  }
  return <PageLoading />;
}

function Mailbox({ source }: { source: Source }) {
  const { i18n } = useTranslation();
  const zone = useAccount().tenant?.zone;
  const { problem, last_ok_at: since } = source.state ?? {};
  return (
    <>
      <Stack gap="sm" mb="lg">
        <HealthSign health={healthOf(source)} />
        {problem && !source.disabled && <ProblemNote problem={problem} {...(since && { since: formatDateTime(since, i18n.language, zone) })} />}
      </Stack>
      <MailboxForm key={source.id} source={source} />
      <LeftList id={source.id} />
      {source.mailbox?.protocol !== 'pop3' && <HistoryPanel id={source.id} />}
    </>
  );
}

function Folder({ source }: { source: Source }) {
  return (
    <>
      <Stack gap="sm" mb="lg">
        <HealthSign health={healthOf(source)} />
        <FolderFigures source={source} />
        {source.folder_state?.problem && !source.disabled && <FolderTrouble problem={source.folder_state.problem} />}
      </Stack>
      <FolderForm key={source.id} source={source} />
    </>
  );
}

function Journal({ source }: { source: Source }) {
  return (
    <>
      <Stack gap="sm" mb="lg">
        <HealthSign health={healthOf(source)} />
        {source.journal_address && <JournalAddress address={source.journal_address} />}
      </Stack>
      <JournalForm key={source.id} source={source} />
    </>
  );
}

function Page({ title, children }: { title: string; children: ReactNode }) {
  const { t } = useTranslation();
  useTitle(title);
  return (
    <main className={classes.narrow}>
      <Button variant="subtle" color="gray" size="compact-md" ml={-8} mb={4} leftSection={<IconArrowLeft size={18} aria-hidden />} renderRoot={(props) => <Link to="/sources" {...props} />}>
        {t('sources.back')}
      </Button>
      <Titled><Title order={1} size="h2" mb="lg" className={classes.breakable}>{title}</Title></Titled>
      {children}
    </main>
  );
}
