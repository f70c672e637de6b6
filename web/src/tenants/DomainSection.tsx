import { ActionIcon, Button, Group, Modal, NativeSelect, Stack, Text, TextInput } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { IconPlus, IconTrash } from '@tabler/icons-react';
import { useState, type FormEvent } from 'react';
import { useTranslation } from 'react-i18next';

import { addTenantDomain, removeTenantDomain, type TenantDetail } from '../api';
import { ask } from '../failure';
import { queries } from '../queries';
import { Refusal, Section } from './Parts';
import { tenantQuery } from './queries';
import classes from './Tenants.module.css';

const shown = (tenant: TenantDetail) => queries.setQueryData(tenantQuery(tenant.id).queryKey, tenant);

// DomainSection lets those above a customer change its mail domains.
export function DomainSection({ tenant }: { tenant: TenantDetail }) {
  const { t } = useTranslation();
  const [removing, setRemoving] = useState('');
  return (
    <Section id="domains" title={t('tenants.domains')}>
      {tenant.domains.length === 0 && <Text size="sm">{t('tenants.noDomains')}</Text>}
      {tenant.domains.map((d) => (
        <Group key={d.name} justify="space-between" wrap="nowrap">
          <Text size="sm" className={classes.breakable}>{d.name}{d.alias_of && ` (${t('tenants.aliasOf', { domain: d.alias_of })})`}</Text>
          <ActionIcon variant="subtle" color="gray" onClick={() => setRemoving(d.name)} aria-label={t('tenantDomains.remove', { domain: d.name })}><IconTrash size={18} aria-hidden /></ActionIcon>
        </Group>
      ))}
      <Add tenant={tenant} />
      {removing && <Remove tenant={tenant} name={removing} close={() => setRemoving('')} />}
    </Section>
  );
}

function Add({ tenant }: { tenant: TenantDetail }) {
  const { t } = useTranslation();
  const [name, setName] = useState('');
  const [main, setMain] = useState('');
  const add = useMutation({
    mutationFn: () => ask<TenantDetail>(addTenantDomain({ path: { id: tenant.id }, body: { name, ...(main && { alias_of: main }) } })),
    onSuccess: (now) => {
      setName('');
      setMain('');
      shown(now);
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    add.mutate();
  };
  const mains = tenant.domains.filter((d) => !d.alias_of).map((d) => ({ value: d.name, label: d.name }));
  return (
    <form onSubmit={submit} autoComplete="off">
      <Stack gap="sm">
        <Group align="flex-end" gap="md">
          <TextInput flex="1 1 200px" label={t('tenantDomains.domain')} value={name} required maxLength={300} autoCapitalize="none" spellCheck={false} onChange={(e) => setName(e.currentTarget.value)} />
          {mains.length > 0 && <NativeSelect flex="1 1 160px" label={t('tenantDomains.aliasOf')} value={main} onChange={(e) => setMain(e.currentTarget.value)} data={[{ value: '', label: t('tenantDomains.own') }, ...mains]} />}
          <Button type="submit" variant="default" loading={add.isPending} leftSection={<IconPlus size={16} aria-hidden />}>{t('tenantDomains.add')}</Button>
        </Group>
        {add.error && <Refusal error={add.error} />}
      </Stack>
    </form>
  );
}

function Remove({ tenant, name, close }: { tenant: TenantDetail; name: string; close: () => void }) {
  const { t } = useTranslation();
  const remove = useMutation({
    mutationFn: () => ask<TenantDetail>(removeTenantDomain({ path: { id: tenant.id, name } })),
    onSuccess: (now) => {
      shown(now);
      close();
    },
  });
  return (
    <Modal opened onClose={close} title={t('tenantDomains.remove', { domain: name })} closeButtonProps={{ 'aria-label': t('app.close') }}>
      <Stack>
        <Text size="sm">{t('tenantDomains.removeHint')}</Text>
        {remove.error && <Refusal error={remove.error} />}
        <Group justify="flex-end">
          <Button variant="default" onClick={close}>{t('tenantDomains.cancel')}</Button>
          <Button color="red" loading={remove.isPending} onClick={() => remove.mutate()}>{t('tenantDomains.removeNow')}</Button>
        </Group>
      </Stack>
    </Modal>
  );
}
