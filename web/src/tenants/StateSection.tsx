import { Alert, Button, Group, Modal, Stack, Text, TextInput } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { IconInfoCircle } from '@tabler/icons-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';

import { deleteTenant, setTenantState, type Certificate, type TenantDetail } from '../api';
import { ask } from '../failure';
import { formatDateTime } from '../format';
import { Refusal, Section } from './Parts';
import { changed } from './queries';
import classes from './Tenants.module.css';

type State = TenantDetail['state'];

// StateSection suspends, ends, resumes and at last deletes a customer.
export function StateSection({ tenant }: { tenant: TenantDetail }) {
  const { t, i18n } = useTranslation();
  const [asked, setAsked] = useState<State>();
  const [deleting, setDeleting] = useState(false);
  const set = useMutation({
    mutationFn: (state: State) => ask<TenantDetail>(setTenantState({ path: { id: tenant.id }, body: { state } })),
    onSuccess: () => {
      setAsked(undefined);
      changed();
    },
  });
  const deletable = tenant.deletable_at !== undefined && new Date(tenant.deletable_at) <= new Date();
  const others = (['active', 'suspended', 'ended'] as const).filter((s) => s !== tenant.state);
  return (
    <Section id="state" title={t('tenants.stateLabel')}>
      <Text size="sm">{t(`tenants.stateText.${tenant.state}`)}{tenant.since && ` ${t('tenants.since', { date: formatDateTime(tenant.since, i18n.language) })}`}</Text>
      <Group>
        {others.map((s) => <Button key={s} variant="default" onClick={() => setAsked(s)}>{t(`tenants.to.${s}`)}</Button>)}
        {tenant.state === 'ended' && <Button color="red" disabled={!deletable} onClick={() => setDeleting(true)}>{t('tenants.delete')}</Button>}
      </Group>
      {tenant.state === 'ended' && !deletable && tenant.deletable_at && <Text size="sm" c="dimmed">{t('tenants.deletableAt', { date: formatDateTime(tenant.deletable_at, i18n.language) })}</Text>}
      {asked && (
        <Modal opened onClose={() => setAsked(undefined)} title={t(`tenants.to.${asked}`)} closeButtonProps={{ 'aria-label': t('app.close') }}>
          <Stack>
            <Text size="sm">{t(`tenants.stateText.${asked}`)}</Text>
            {set.error && <Refusal error={set.error} />}
            <Group justify="flex-end">
              <Button variant="default" onClick={() => setAsked(undefined)}>{t('tenants.cancel')}</Button>
              <Button color={asked === 'active' ? undefined : 'red'} loading={set.isPending} onClick={() => set.mutate(asked)}>{t(`tenants.to.${asked}`)}</Button>
            </Group>
          </Stack>
        </Modal>
      )}
      {deleting && <Deletion tenant={tenant} close={() => setDeleting(false)} />}
    </Section>
  );
}

function Deletion({ tenant, close }: { tenant: TenantDetail; close: () => void }) {
  const { t } = useTranslation();
  const [name, setName] = useState('');
  const remove = useMutation({ mutationFn: () => ask<Certificate>(deleteTenant({ path: { id: tenant.id }, body: { name } })) });
  const done = remove.data;
  if (done) {
    const leave = () => {
      changed();
      close();
    };
    return (
      <Modal opened onClose={leave} size="lg" title={t('tenants.certificate')} closeButtonProps={{ 'aria-label': t('app.close') }}>
        <Stack>
          <pre className={classes.text}>{done.text}</pre>
          <Group justify="flex-end">
            <Button variant="default" component="a" download={`${done.slug}.txt`} href={`data:text/plain;charset=utf-8,${encodeURIComponent(done.text)}`}>{t('tenants.save')}</Button>
            <Button onClick={leave} renderRoot={(props) => <Link to="/tenants" {...props} />}>{t('tenants.title')}</Button>
          </Group>
        </Stack>
      </Modal>
    );
  }
  return (
    <Modal opened onClose={close} title={t('tenants.delete')} closeButtonProps={{ 'aria-label': t('app.close') }}>
      <Stack>
        <Alert variant="light" color="red" icon={<IconInfoCircle size={18} aria-hidden />}>{t('tenants.deleteHint')}</Alert>
        <TextInput label={t('tenants.typeName', { name: tenant.name })} value={name} maxLength={200} onChange={(e) => setName(e.currentTarget.value)} autoComplete="off" data-autofocus />
        {remove.error && <Refusal error={remove.error} />}
        <Group justify="flex-end">
          <Button variant="default" onClick={close}>{t('tenants.cancel')}</Button>
          <Button color="red" disabled={name.trim() !== tenant.name} loading={remove.isPending} onClick={() => remove.mutate()}>{t('tenants.delete')}</Button>
        </Group>
      </Stack>
    </Modal>
  );
}
