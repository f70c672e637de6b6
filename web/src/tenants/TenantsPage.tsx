import { Anchor, Badge, Button, Group, Paper, Skeleton, Stack, Table, Text, TextInput, Title } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { IconDownload, IconPlus, IconSearch } from '@tabler/icons-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';

import type { Certificate, TenantFigures } from '../api';
import { formatDateTime, formatNumber, formatSize } from '../format';
import { FailureNote } from '../shell/Failure';
import { Titled } from '../shell/ManualLink';
import { useLate } from '../shell/useLate';
import { useAccount, useTitle } from '../shell/usePage';
import { Section, StateBadge } from './Parts';
import { certificatesQuery, matches, tenantsQuery, thisMonth, usageAddress } from './queries';
import classes from './Tenants.module.css';

// TenantsPage lists the customers that an operator or a reseller looks after.
export function TenantsPage() {
  const { t, i18n } = useTranslation();
  useTitle(t('tenants.title'));
  const { role } = useAccount();
  const allowed = role === 'operator' || role === 'reseller';
  const tenants = useQuery({ ...tenantsQuery, enabled: allowed, refetchInterval: 60_000 });
  const certificates = useQuery({ ...certificatesQuery, enabled: allowed });
  const late = useLate(allowed && tenants.isPending);
  const [typed, setTyped] = useState('');
  const list = tenants.data?.tenants;
  const shown = list?.filter((x) => matches(typed, x.name, x.slug, x.reseller ?? ''));
  return (
    <main className={classes.page}>
      <Group justify="space-between" mb="md">
        <Titled><Title order={1} size="h2">{t('tenants.title')}</Title></Titled>
        {allowed && (
          <Group gap="sm">
            <Button variant="default" component="a" href={usageAddress(thisMonth())} leftSection={<IconDownload size={16} aria-hidden />}>{t('tenants.usageCsv')}</Button>
            <Button renderRoot={(props) => <Link to="/tenants/new" {...props} />} leftSection={<IconPlus size={16} aria-hidden />}>{t('tenants.new')}</Button>
          </Group>
        )}
      </Group>
      {!allowed && <Text role="alert">{t('tenants.forbidden')}</Text>}
      <Stack gap="lg">
        {tenants.error && <FailureNote error={tenants.error} retry={() => void tenants.refetch()} />}
        {late && <Stack gap="xs" aria-hidden>{Array.from({ length: 6 }, (_, i) => <Skeleton key={i} height={40} />)}</Stack>}
        {list && shown && (
          <div>
            <TextInput value={typed} onChange={(e) => setTyped(e.currentTarget.value)} placeholder={t('tenants.filter')} aria-label={t('tenants.filter')}
              leftSection={<IconSearch size={16} aria-hidden />} maw={420} mb="xs" autoFocus />
            <Text size="sm" c="dimmed" role="status" mb="xs">{t('tenants.shown', { shown: formatNumber(shown.length, i18n.language), all: formatNumber(list.length, i18n.language) })}</Text>
            {shown.length > 0 && <TenantTable list={shown} resellers={role === 'operator'} />}
          </div>
        )}
        {certificates.data && certificates.data.certificates.length > 0 && <Certificates list={certificates.data.certificates} />}
      </Stack>
    </main>
  );
}

function TenantTable({ list, resellers }: { list: readonly TenantFigures[]; resellers: boolean }) {
  const { t, i18n } = useTranslation();
  return (
    <Paper withBorder radius="md" className={`${classes.panel} ${classes.scroll}`} tabIndex={0} role="region" aria-label={t('tenants.title')}>
      <Table aria-label={t('tenants.title')} highlightOnHover>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>{t('tenants.name')}</Table.Th>
            <Table.Th>{t('tenants.stateLabel')}</Table.Th>
            {resellers && <Table.Th className={classes.wide}>{t('tenants.reseller')}</Table.Th>}
            <Table.Th className={classes.number}>{t('tenants.limit.mailboxes')}</Table.Th>
            <Table.Th className={`${classes.number} ${classes.wide}`}>{t('tenants.messages')}</Table.Th>
            <Table.Th className={`${classes.number} ${classes.wide}`}>{t('tenants.limit.storage')}</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {list.map((x) => (
            <Table.Tr key={x.id}>
              <Table.Td className={classes.name}>
                <Link to="/tenants/$id" params={{ id: x.id }}>{x.name}</Link>
                <Text size="xs" c="dimmed">{x.slug}</Text>
              </Table.Td>
              <Table.Td>
                <Group gap={6}>
                  <StateBadge state={x.state} />
                  {x.limits.some((l) => l.level === 'reached') && <Badge variant="light" color="red" radius="sm" tt="none" c="var(--m-bad)">{t('tenants.limitReached')}</Badge>}
                  {!x.limits.some((l) => l.level === 'reached') && x.limits.some((l) => l.level === 'near') && <Badge variant="light" color="orange" radius="sm" tt="none" c="var(--m-demo)">{t('tenants.limitNear')}</Badge>}
                </Group>
              </Table.Td>
              {resellers && <Table.Td className={classes.wide}>{x.reseller ?? '–'}</Table.Td>}
              <Table.Td className={classes.number}>{formatNumber(x.mailboxes, i18n.language)}</Table.Td>
              <Table.Td className={`${classes.number} ${classes.wide}`}>{formatNumber(x.messages, i18n.language)}</Table.Td>
              <Table.Td className={`${classes.number} ${classes.wide}`}>{formatSize(x.stored_bytes, i18n.language)}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Paper>
  );
}

// Certificates are what is left of customers that were deleted.
function Certificates({ list }: { list: readonly Certificate[] }) {
  const { t, i18n } = useTranslation();
  return (
    <Section id="certificates" title={t('tenants.certificates')}>
      <Text size="sm" c="dimmed">{t('tenants.certificatesHint')}</Text>
      {list.map((c) => (
        <Group key={c.tenant} justify="space-between" wrap="nowrap">
          <div>
            <Text className={classes.name}>{c.name}</Text>
            <Text size="xs" c="dimmed">{c.completed_at ? t('tenants.deletedAt', { date: formatDateTime(c.completed_at, i18n.language) }) : t('tenants.deleting')}</Text>
          </div>
          <Anchor size="sm" download={`${c.slug}.txt`} href={`data:text/plain;charset=utf-8,${encodeURIComponent(c.text)}`}>{t('tenants.certificate')}</Anchor>
        </Group>
      ))}
    </Section>
  );
}
