import { Paper, SimpleGrid, Text } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';

import type { Dashboard } from '../api';
import { formatDateTime, formatNumber, formatRelative, formatSize, plain, regional } from '../format';
import { useAccount } from '../shell/usePage';
import classes from './OverviewPage.module.css';

// Figures are the numbers of a dashboard.
export function Figures({ of }: { of: Dashboard }) {
  const { t, i18n } = useTranslation();
  const language = i18n.language;
  const number = (n: number) => formatNumber(n, language);
  const sources = t('board.sourceStates', { failing: number(of.sources.failing), disabled: number(of.sources.disabled) });
  return (
    <SimpleGrid cols={{ base: 1, xs: 2, md: 3 }} mb="lg">
      <Figure name={t('board.today')} value={number(of.today_messages)} note={formatSize(of.today_bytes, language)} />
      <Figure name={t('admin.messages')} value={number(of.messages)} />
      {of.tenants && <Figure name={t('tenants.title')} value={number(of.tenants.active)} note={t('board.tenantStates', { suspended: number(of.tenants.suspended), ended: number(of.tenants.ended) })} />}
      {of.tenant && <Figure name={t('admin.users')} value={number(of.tenant.users)} />}
      <Figure name={t('admin.raw')} value={formatSize(of.raw_bytes, language)} />
      <Figure name={t('admin.stored')} value={formatSize(of.stored_bytes, language)} note={<Saving of={of} />} />
      <Figure name={t('board.sources')} value={number(of.sources.working)} note={of.tenant ? <Link to="/sources" className={classes.link}>{sources}</Link> : sources} attention={of.sources.failing > 0} />
      <Seal of={of} />
      <Log of={of} />
      {of.tenant && <Tenant tenant={of.tenant} />}
      {of.installation && <Installation of={of.installation} />}
      <Version of={of} />
    </SimpleGrid>
  );
}

// Saving tells what storing once and what compression has saved.
function Saving({ of }: { of: Dashboard }) {
  const { t, i18n } = useTranslation();
  if (of.raw_bytes === 0) {
    return null;
  }
  const percent = (n: number) => new Intl.NumberFormat(regional(i18n.language), { style: 'percent', maximumFractionDigits: 0 }).format(n);
  const once = Math.max(0, of.raw_bytes - of.unpacked_bytes);
  const packed = Math.max(0, of.unpacked_bytes - of.stored_bytes);
  return <>{t('admin.ratio', { number: percent(of.stored_bytes / of.raw_bytes) })}{once + packed > 0 && <><br />{t('board.saved', { once: formatSize(once, i18n.language), packed: formatSize(packed, i18n.language) })}</>}</>;
}

function Seal({ of }: { of: Dashboard }) {
  const { t, i18n } = useTranslation();
  const { objects, oldest, late, authorities } = of.seal;
  const text = !authorities ? t('board.sealNone') : oldest ? t('board.sealOldest', { ago: formatRelative(oldest, i18n.language) }) : t('board.sealAll');
  return <Figure name={t('board.unsealed')} value={formatNumber(objects, i18n.language)} note={of.tenant ? <Link to="/evidence" className={classes.link}>{text}</Link> : text} attention={late} />;
}

function Log({ of }: { of: Dashboard }) {
  const { t, i18n } = useTranslation();
  const zone = useAccount().tenant?.zone;
  const { events, receipt_size, receipt_at } = of.log;
  const note = receipt_at && receipt_size !== undefined
    ? t('board.receipt', { number: formatNumber(receipt_size, i18n.language), time: formatDateTime(receipt_at, i18n.language, zone) })
    : t(of.tenant ? 'board.noReceipt' : 'board.logs');
  return <Figure name={t('board.log')} value={formatNumber(events, i18n.language)} note={of.tenant ? <Link to="/log" className={classes.link}>{note}</Link> : note} />;
}

function Tenant({ tenant: x }: { tenant: NonNullable<Dashboard['tenant']> }) {
  const { t, i18n } = useTranslation();
  const zone = useAccount().tenant?.zone;
  const at = (iso: string | undefined) => (iso ? formatDateTime(iso, i18n.language, zone) : t('admin.never'));
  return (
    <>
      <Figure name={t('admin.unindexed')} value={formatNumber(x.unindexed, i18n.language)} note={t(x.unindexed === 0 ? 'admin.unindexedNone' : 'admin.unindexedSome')} attention={x.unindexed > 0} />
      <Figure name={t('admin.last')} value={at(x.last_at)} note={[x.last_at && formatRelative(x.last_at, i18n.language), x.first_at && `${t('admin.first')}: ${at(x.first_at)}`].filter(Boolean).join(' · ')} small />
    </>
  );
}

function Installation({ of }: { of: NonNullable<Dashboard['installation']> }) {
  const { t, i18n } = useTranslation();
  const b = of.backup;
  const free = of.disk_free ?? 0;
  const total = of.disk_total ?? 0;
  const percent = total > 0 ? new Intl.NumberFormat(regional(i18n.language), { style: 'percent', maximumFractionDigits: 0 }).format(free / total) : '';
  const outcome = b && t(b.failed ? 'board.backupFailed' : 'board.backupOk', { time: formatDateTime(b.at, i18n.language) });
  return (
    <>
      <Figure name={t('board.backup')} value={b ? formatRelative(b.at, i18n.language) : t('board.backupNone')} note={b ? [outcome, b.note && plain(b.note)].filter(Boolean).join(' · ') : t('board.backupHint')} attention={!b || b.failed} small />
      {total > 0 && <Figure name={t('board.disk')} value={formatSize(free, i18n.language)} note={t('board.diskOf', { percent, total: formatSize(total, i18n.language) })} />}
    </>
  );
}

// Version tells the release; what it was built from is for those who look into a problem.
function Version({ of }: { of: Dashboard }) {
  const { t, i18n } = useTranslation();
  const [release = '', ...build] = plain(of.version).split(' ');
  return <Figure name={t('board.version')} value={release} note={<>{t('board.started', { time: formatRelative(of.started_at, i18n.language) })}{build.length > 0 && <><br /><span className={classes.name}>{build.join(' ')}</span></>}</>} small />;
}

type FigureProps = { name: string; value: string; note?: ReactNode; attention?: boolean; small?: boolean };

function Figure({ name, value, note, attention, small }: FigureProps) {
  return (
    <Paper withBorder p="md" radius="md" className={classes.figure} data-attention={attention || undefined}>
      <Text size="sm" c="dimmed">{name}</Text>
      <Text fw={600} fz={small ? 18 : 26} className={classes.value}>{value}</Text>
      {note && <Text size="xs" c="dimmed" component="div">{note}</Text>}
    </Paper>
  );
}
