import { ActionIcon, Button, Group, Paper, SimpleGrid, Stack, Table, Text, Title, Tooltip } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import { IconPencil, IconRefresh } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';

import type { Source } from '../api';
import { formatDateTime, formatLongDateTime, formatNumber, formatRelative, formatShort, plain } from '../format';
import { useAccount } from '../shell/usePage';
import { FolderFigures, FolderTrouble } from './FolderForm';
import { healthOf, isCounted } from './health';
import { HealthSign, JournalAddress, ProblemNote } from './Signs';
import type { ListProps } from './SourcesPage';
import classes from './Sources.module.css';

const columns = 8;

export function SourceTable({ sources, fetch, asked }: ListProps) {
  const { t } = useTranslation();
  return (
    <Paper withBorder radius="md" className={`${classes.panel} ${classes.scroll}`} tabIndex={0} role="region" aria-label={t('sources.caption')}>
      <Table className={classes.table} verticalSpacing={10} horizontalSpacing="sm" aria-label={t('sources.caption')}>
        <Table.Thead>
          <Table.Tr>
            <Table.Th className={classes.first}>{t('sources.name')}</Table.Th>
            <Table.Th>{t('sources.state')}</Table.Th>
            <Table.Th>{t('sources.last')}</Table.Th>
            <Table.Th>{t('sources.next')}</Table.Th>
            <Table.Th className={classes.number}><Tooltip label={t('sources.waitingHint')}><span>{t('sources.waiting')}</span></Tooltip></Table.Th>
            <Table.Th className={classes.number}>{t('sources.onServer')}</Table.Th>
            <Table.Th className={classes.number}><Tooltip label={t('sources.leftHint')}><span>{t('sources.left')}</span></Tooltip></Table.Th>
            <Table.Th className={classes.number}>{t('sources.actions')}</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {sources.map((s) => <Rows key={s.id} source={s} fetch={fetch} asked={asked === s.id} />)}
        </Table.Tbody>
      </Table>
    </Paper>
  );
}

type RowProps = { source: Source; fetch: ((id: string) => void) | undefined; asked: boolean };

function Rows({ source: s, fetch, asked }: RowProps) {
  const note = noteOf(s);
  return (
    <>
      <Table.Tr className={note ? classes.joined : undefined}>
        <Table.Td><Name source={s} /></Table.Td>
        <Table.Td><HealthSign health={healthOf(s)} /></Table.Td>
        <Table.Td className={classes.when}><LastFetch source={s} /></Table.Td>
        <Table.Td className={classes.when}><NextFetch source={s} /></Table.Td>
        <Table.Td className={classes.number}><Count source={s} of="waiting" /></Table.Td>
        <Table.Td className={classes.number}><Count source={s} of="on_server" /></Table.Td>
        <Table.Td className={classes.number}><Count source={s} of="left" /></Table.Td>
        <Table.Td><Actions source={s} fetch={fetch} asked={asked} /></Table.Td>
      </Table.Tr>
      {note && <Table.Tr className={classes.more}><Table.Td colSpan={columns}><Note source={s} /></Table.Td></Table.Tr>}
    </>
  );
}

export function SourceCards({ sources, fetch, asked }: ListProps) {
  const { t } = useTranslation();
  return (
    <SimpleGrid cols={{ base: 1, sm: 2 }} spacing="sm">
      {sources.map((s) => (
        <Paper key={s.id} withBorder p="md" radius="md" className={classes.panel} component="article" aria-label={plain(s.name)}>
          <Stack gap="xs">
            <Name source={s} heading />
            <HealthSign health={healthOf(s)} />
            {noteOf(s) && <Note source={s} />}
            {s.kind === 'mailbox' && (
              <dl className={classes.figures}>
                <dt>{t('sources.last')}</dt><dd><LastFetch source={s} /></dd>
                <dt>{t('sources.next')}</dt><dd><NextFetch source={s} /></dd>
                <dt>{t('sources.waiting')}</dt><dd><Count source={s} of="waiting" /></dd>
                <dt>{t('sources.onServer')}</dt><dd><Count source={s} of="on_server" /></dd>
                <dt>{t('sources.left')}</dt><dd><Count source={s} of="left" /></dd>
              </dl>
            )}
            <Actions source={s} fetch={fetch} asked={asked === s.id} />
          </Stack>
        </Paper>
      ))}
    </SimpleGrid>
  );
}

function Name({ source: s, heading }: { source: Source; heading?: boolean }) {
  const { t } = useTranslation();
  const about = [t(`sources.kind.${kindOf(s)}`), s.mailbox?.host, s.folder?.directory, s.category].filter(Boolean).join(' · ');
  return (
    <div>
      {heading ? <Title order={2} size="h5" className={classes.name}>{plain(s.name)}</Title> : <Text size="sm" className={classes.name}>{plain(s.name)}</Text>}
      <Text size="xs" c="dimmed" className={classes.breakable}>{plain(about)}</Text>
    </div>
  );
}

function kindOf(s: Source): 'journal' | 'mailbox' | 'import' | 'milter' | 'folder' | 'upload' {
  return s.kind === 'mailbox' || s.kind === 'import' || s.kind === 'milter' || s.kind === 'folder' || s.kind === 'upload' ? s.kind : 'journal';
}

const noteOf = (s: Source): boolean => s.kind === 'folder' || Boolean(s.journal_address) || (Boolean(s.state?.problem) && !s.disabled);

function Note({ source: s }: { source: Source }) {
  const { i18n } = useTranslation();
  const zone = useAccount().tenant?.zone;
  if (s.journal_address) {
    return <JournalAddress address={s.journal_address} />;
  }
  if (s.kind === 'folder') {
    return s.folder_state?.problem && !s.disabled ? <FolderTrouble problem={s.folder_state.problem} /> : <FolderFigures source={s} />;
  }
  const since = s.state?.last_ok_at;
  return s.state?.problem ? <ProblemNote problem={s.state.problem} {...(since && { since: formatDateTime(since, i18n.language, zone) })} /> : null;
}

function Dash(): ReactNode {
  const { t } = useTranslation();
  return <span className={classes.quiet}>{t('sources.none')}</span>;
}

function LastFetch({ source: s }: { source: Source }) {
  const { t } = useTranslation();
  if (s.kind !== 'mailbox' && s.kind !== 'folder') {
    return <Dash />;
  }
  const at = s.kind === 'folder' ? s.folder_state?.last_at : s.state?.last_at;
  if (!at) {
    return <span className={classes.quiet}>{t('sources.never')}</span>;
  }
  return <When at={at} />;
}

// When is short, for the table has many columns; the tooltip has all of it.
function When({ at }: { at: string }) {
  const { i18n } = useTranslation();
  const zone = useAccount().tenant?.zone;
  return <time dateTime={at} title={`${formatLongDateTime(at, i18n.language, zone)} (${formatRelative(at, i18n.language)})`}>{formatShort(at, i18n.language, zone)}</time>;
}

function NextFetch({ source: s }: { source: Source }) {
  const { t } = useTranslation();
  const at = s.state?.next_at;
  if (s.kind !== 'mailbox' || s.disabled || !at || s.state?.fetching) {
    return <Dash />;
  }
  return isPast(at) ? t('sources.soon') : <When at={at} />;
}

const isPast = (iso: string): boolean => new Date(iso).getTime() <= Date.now();

function Count({ source: s, of }: { source: Source; of: 'waiting' | 'on_server' | 'left' }) {
  const { i18n } = useTranslation();
  if (s.kind === 'folder' && of === 'waiting' && s.folder_state) {
    return formatNumber(s.folder_state.waiting, i18n.language);
  }
  if (s.kind !== 'mailbox' || !isCounted(s.state)) {
    return <Dash />;
  }
  const number = formatNumber(s.state[of], i18n.language);
  if (of === 'left' && s.state.left > 0) {
    return <Link to="/sources/$id" params={{ id: s.id }} hash="left" className={classes.link}>{number}</Link>;
  }
  return number;
}

function Actions({ source: s, fetch, asked }: RowProps) {
  const { t } = useTranslation();
  const name = plain(s.name);
  return (
    <Group gap={6} wrap="nowrap" justify="flex-end">
      {s.kind === 'mailbox' && !s.disabled && fetch && (
        <Button size="xs" variant="default" leftSection={<IconRefresh size={16} aria-hidden />} loading={asked} disabled={s.state?.fetching ?? false} onClick={() => fetch(s.id)} aria-label={t('sources.fetchNamed', { name })}>
          {t('sources.fetchNow')}
        </Button>
      )}
      {(s.kind === 'journal' || s.kind === 'mailbox' || s.kind === 'folder') && (
        <Tooltip label={t('sources.edit')}>
          <ActionIcon size={30} variant="default" aria-label={t('sources.editNamed', { name })} renderRoot={(props) => <Link to="/sources/$id" params={{ id: s.id }} {...props} />}>
            <IconPencil size={16} aria-hidden />
          </ActionIcon>
        </Tooltip>
      )}
    </Group>
  );
}
