import { Button, Group, NumberInput, Paper, Stack, Table, Text, Textarea, TextInput, Title } from '@mantine/core';
import { useMutation, useQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { IconArrowLeft, IconCheck } from '@tabler/icons-react';
import { useState, type FormEvent } from 'react';
import { useTranslation } from 'react-i18next';

import { changeTenant, type TenantChange, type TenantDetail } from '../api';
import { ask } from '../failure';
import { formatDateTime, formatNumber, formatSize } from '../format';
import { FailureNote } from '../shell/Failure';
import { Titled } from '../shell/ManualLink';
import { useAccount, useTitle } from '../shell/usePage';
import { DomainSection } from './DomainSection';
import { Limit, Refusal, Section, StateBadge } from './Parts';
import { changed, tenantQuery } from './queries';
import { ResellerField } from './ResellerField';
import { StateSection } from './StateSection';
import classes from './Tenants.module.css';

const route = getRouteApi('/frame/tenants/$id');

// TenantPage shows one customer: what it may, what it uses, and nothing of its mail.
export function TenantPage() {
  const { t } = useTranslation();
  const { id } = route.useParams();
  const tenant = useQuery(tenantQuery(id));
  useTitle(tenant.data?.name ?? t('tenants.title'));
  return (
    <main className={classes.narrow}>
      <Button variant="subtle" size="compact-sm" mb="sm" renderRoot={(props) => <Link to="/tenants" {...props} />} leftSection={<IconArrowLeft size={16} aria-hidden />}>{t('tenants.title')}</Button>
      {tenant.error && <FailureNote error={tenant.error} retry={() => void tenant.refetch()} />}
      {tenant.data && <Tenant key={tenant.data.id} tenant={tenant.data} />}
    </main>
  );
}

function Tenant({ tenant }: { tenant: TenantDetail }) {
  const { t, i18n } = useTranslation();
  return (
    <Stack gap="lg">
      <Group gap="sm"><Titled><Title order={1} size="h2" className={classes.breakable}>{tenant.name}</Title></Titled><StateBadge state={tenant.state} /></Group>
      <Section id="facts" title={t('tenants.facts')}>
        <dl className={classes.facts}>
          <dt>{t('tenants.slug')}</dt><dd>{tenant.slug}</dd>
          {tenant.reseller && <><dt>{t('tenants.reseller')}</dt><dd>{tenant.reseller}</dd></>}
          {tenant.reference && <><dt>{t('tenants.reference')}</dt><dd>{tenant.reference}</dd></>}
          <dt>{t('tenants.created')}</dt><dd>{formatDateTime(tenant.created_at, i18n.language)}</dd>
          <dt>{t('tenants.journals')}</dt><dd>{tenant.journal_addresses.length === 0 ? '–' : tenant.journal_addresses.map((a) => <div key={a}>{a}</div>)}</dd>
          <dt>{t('tenants.users')}</dt><dd>{formatNumber(tenant.users, i18n.language)}</dd>
          <dt>{t('tenants.sources')}</dt><dd>{formatNumber(tenant.sources, i18n.language)}</dd>
          <dt>{t('tenants.messages')}</dt><dd>{formatNumber(tenant.messages, i18n.language)} · {t('tenants.rawAndStored', { raw: formatSize(tenant.raw_bytes, i18n.language), stored: formatSize(tenant.stored_bytes, i18n.language) })}</dd>
        </dl>
      </Section>
      <DomainSection tenant={tenant} />
      <Section id="limits" title={t('tenants.limits')}>
        <Text size="sm" c="dimmed">{t('tenants.limitsHint')}</Text>
        {tenant.limits.map((use) => <Limit key={use.what} use={use} />)}
        {tenant.months.length > 0 && <Months tenant={tenant} />}
      </Section>
      <Settings tenant={tenant} />
      <StateSection tenant={tenant} />
    </Stack>
  );
}

function Months({ tenant }: { tenant: TenantDetail }) {
  const { t, i18n } = useTranslation();
  return (
    <Paper withBorder radius="sm" className={classes.scroll} tabIndex={0} role="region" aria-label={t('tenants.perMonth')}>
      <Table aria-label={t('tenants.perMonth')}>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>{t('tenants.month')}</Table.Th><Table.Th className={classes.number}>{t('tenants.limit.mailboxes')}</Table.Th>
            <Table.Th className={classes.number}>{t('tenants.shared')}</Table.Th><Table.Th className={classes.number}>{t('tenants.messages')}</Table.Th>
            <Table.Th className={classes.number}>{t('tenants.limit.storage')}</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {tenant.months.map((m) => (
            <Table.Tr key={m.month}>
              <Table.Td>{m.month}</Table.Td><Table.Td className={classes.number}>{formatNumber(m.mailboxes, i18n.language)}</Table.Td>
              <Table.Td className={classes.number}>{formatNumber(m.shared, i18n.language)}</Table.Td><Table.Td className={classes.number}>{formatNumber(m.messages, i18n.language)}</Table.Td>
              <Table.Td className={classes.number}>{formatSize(m.stored_bytes, i18n.language)}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Paper>
  );
}

const gigabyte = 1_000_000_000;
const limitOf = (tenant: TenantDetail, what: string) => tenant.limits.find((l) => l.what === what)?.limit ?? 0;

function Settings({ tenant }: { tenant: TenantDetail }) {
  const { t } = useTranslation();
  const { role } = useAccount();
  const [name, setName] = useState(tenant.name);
  const [mailboxes, setMailboxes] = useState<number | string>(limitOf(tenant, 'mailboxes') || '');
  const [storage, setStorage] = useState<number | string>(limitOf(tenant, 'storage') / gigabyte || '');
  const [shared, setShared] = useState(tenant.shared.join('\n'));
  const [reseller, setReseller] = useState(tenant.reseller ?? '');
  const save = useMutation({
    mutationFn: () => {
      const body: TenantChange = { name, limits: { mailboxes: Number(mailboxes) || 0, storage: Math.round((Number(storage) || 0) * gigabyte) }, shared: shared.split(/[\s,;]+/u).filter(Boolean) };
      if (role === 'operator' && reseller.trim() !== (tenant.reseller ?? '')) body.reseller = reseller.trim();
      return ask<TenantDetail>(changeTenant({ path: { id: tenant.id }, body }));
    },
    onSuccess: changed,
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    save.mutate();
  };
  return (
    <Section id="settings" title={t('tenants.settings')}>
      <form onSubmit={submit}>
        <Stack gap="md">
          <TextInput label={t('tenants.name')} value={name} maxLength={200} onChange={(e) => setName(e.currentTarget.value)} />
          {role === 'operator' && <ResellerField value={reseller} change={setReseller} />}
          <Group grow align="flex-start">
            <NumberInput label={t('tenants.mailboxLimit')} description={t('tenants.noneHint')} value={mailboxes} min={0} allowDecimal={false} onChange={setMailboxes} />
            <NumberInput label={t('tenants.storageLimit')} description={t('tenants.noneHint')} value={storage} min={0} onChange={setStorage} />
          </Group>
          <Textarea label={t('tenants.sharedLabel')} description={t('tenants.sharedHint')} value={shared} autosize minRows={2} maxRows={10} onChange={(e) => setShared(e.currentTarget.value)} />
          {save.error && <Refusal error={save.error} />}
          <Group>
            <Button type="submit" loading={save.isPending}>{t('tenants.save')}</Button>
            <Text size="sm" c="dimmed" role="status" component="span">{save.isSuccess && <Group gap={6} component="span"><IconCheck size={16} aria-hidden />{t('tenants.saved')}</Group>}</Text>
          </Group>
        </Stack>
      </form>
    </Section>
  );
}
