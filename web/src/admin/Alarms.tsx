import { Paper, Stack, Text, Title } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { IconAlertTriangle, IconCircleCheck, IconInfoCircle } from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';

import { requestsQuery } from '../access/queries';
import type { Alarm, Dashboard } from '../api';
import { formatDateTime, formatNumber, formatRelative, formatSize, plain } from '../format';
import { quarantineCountsQuery } from '../routing/queries';
import { useAccount } from '../shell/usePage';
import classes from './OverviewPage.module.css';

// Alarms lists what needs attention: what it is, where, since when, and what to do.
export function Alarms({ of }: { of: Dashboard }) {
  const { t, i18n } = useTranslation();
  const more = of.alarm_count - of.alarms.length;
  const waiting = useWaiting(of.of === 'tenant');
  const number = (n: number) => formatNumber(n, i18n.language);
  return (
    <Paper withBorder p="md" radius="md" component="section" aria-labelledby="alarms" className={classes.figure} mb="lg">
      <Title order={2} size="h5" id="alarms" mb="xs">{t('board.alarms')}</Title>
      {of.alarms.length === 0 && waiting.mail + waiting.requests === 0 && <Text size="sm"><IconCircleCheck size={18} aria-hidden className={classes.good} /> {t('board.noAlarms')}</Text>}
      <ul className={classes.alarms}>{of.alarms.map((a) => <li key={a.id}><AlarmText alarm={a} of={of} /></li>)}</ul>
      {waiting.mail > 0 && <Text size="sm" mt="xs"><Link to="/quarantine" className={classes.link}>{t('board.waitingMail', { count: waiting.mail, number: number(waiting.mail) })}</Link></Text>}
      {waiting.requests > 0 && <Text size="sm" mt="xs"><Link to="/access" className={classes.link}>{t('board.waitingRequests', { count: waiting.requests, number: number(waiting.requests) })}</Link></Text>}
      {more > 0 && <Text size="sm" c="dimmed" mt="xs">{t('board.moreAlarms', { count: more, number: formatNumber(more, i18n.language) })}</Text>}
    </Paper>
  );
}

// useWaiting counts what waits for a decision of the reader, as the navigation does.
function useWaiting(decides: boolean): { mail: number; requests: number } {
  const counts = useQuery({ ...quarantineCountsQuery, enabled: decides });
  const requests = useQuery({ ...requestsQuery, enabled: decides });
  return { mail: counts.data?.waiting ?? 0, requests: requests.data?.waiting ?? 0 };
}

function AlarmText({ alarm: a, of }: { alarm: Alarm; of: Dashboard }) {
  const { t, i18n } = useTranslation();
  const zone = useAccount().tenant?.zone;
  const language = i18n.language;
  const amount = (n: number | undefined) => (a.code === 'storage' || a.kind.startsWith('disk') ? formatSize(n ?? 0, language) : formatNumber(n ?? 0, language));
  const limit = a.code === 'customers' || a.code === 'mailboxes' || a.code === 'storage' ? t(`tenants.limit.${a.code}`) : '';
  const free = (a.limit ?? 0) - (a.used ?? 0);
  const Sign = a.severity === 'notice' ? IconInfoCircle : IconAlertTriangle;
  const cure = of.of === 'tenant' && (a.kind === 'limit-near' || a.kind === 'limit-reached') ? t('board.cureLimitTenant') : t(`board.cure.${a.kind}`);
  return (
    <div className={classes.alarm} data-severity={a.severity}>
      <Sign size={20} aria-hidden className={classes.sign} />
      <Stack gap={2}>
        <Text size="sm" fw={600}>
          <span className={classes.severity}>{t(`board.severity.${a.severity}`)}: </span>
          {t(a.kind === 'renewal-unread' && a.code === 'batches' ? 'board.kind.renewal-unread-batches' : `board.kind.${a.kind}`, { limit, used: amount(a.used), of: amount(a.limit), free: amount(free), number: formatNumber(a.used ?? 0, language) })}
        </Text>
        <Text size="sm">
          <Place alarm={a} of={of} />
          {a.since && <span title={formatDateTime(a.since, language, zone)}>{t('board.since', { time: formatDateTime(a.since, language, zone), ago: formatRelative(a.since, language) })}</span>}
        </Text>
        {a.kind === 'source-failing' && <Problem alarm={a} />}
        <Text size="sm" c="dimmed">{cure} <Cure alarm={a} of={of} /></Text>
      </Stack>
    </div>
  );
}

// Place says where it is, with a link to its page.
function Place({ alarm: a, of }: { alarm: Alarm; of: Dashboard }) {
  if (!a.name || (of.of === 'tenant' && !a.source)) {
    return null; // the reader's own
  }
  const name = plain(a.name);
  if (a.source) {
    return <><Link to="/sources/$id" params={{ id: a.source }} className={classes.link}>{name}</Link>{' · '}</>;
  }
  if (a.tenant) {
    return <><Link to="/tenants/$id" params={{ id: a.tenant }} className={classes.link}>{name}</Link>{' · '}</>;
  }
  if (of.of === 'installation' && a.reseller) {
    return <><Link to="/resellers/$id" params={{ id: a.reseller }} className={classes.link}>{name}</Link>{' · '}</>;
  }
  return null;
}

// Problem says what is wrong with a source, in the words of its own page.
function Problem({ alarm: a }: { alarm: Alarm }) {
  const { t, i18n } = useTranslation();
  const key = `${a.source_kind === 'folder' ? 'folder' : 'sources'}.problem.${a.code ?? ''}`;
  const kind = a.source_kind === 'folder' ? t('board.source.folder') : t('board.source.mailbox');
  return <Text size="sm">{kind}: {i18n.exists(key) ? t(key as never) : a.code}</Text>;
}

function Cure({ alarm: a, of }: { alarm: Alarm; of: Dashboard }) {
  const { t } = useTranslation();
  return a.kind === 'seal-late' || a.kind === 'no-authority' || (a.kind === 'renewal-unread' && of.of === 'installation') ? <Link to="/sealing" className={classes.link}>{t('evidence.sealing')}</Link> : null;
}
