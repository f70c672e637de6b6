import { ActionIcon, Alert, Anchor, Button, Group, Modal, NativeSelect, Paper, Stack, Table, Text, TextInput, Title } from '@mantine/core';
import { useMutation, useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { IconInfoCircle, IconPlus, IconTrash } from '@tabler/icons-react';
import { useState, type FormEvent } from 'react';
import { useTranslation } from 'react-i18next';

import { addDomain, removeDomain, type Domain } from '../api';
import { ask, Failure, hasCode } from '../failure';
import { formatDateTime, formatNumber } from '../format';
import { FailureNote } from '../shell/Failure';
import { Titled } from '../shell/ManualLink';
import { useAccount, useTitle } from '../shell/usePage';
import { Proof } from './DomainProof';
import { decided, domainsQuery } from './queries';
import classes from './Routing.module.css';
import { RoutingTabs } from './RoutingTabs';

// DomainsPage shows an administrator which mail is the customer's.
export function DomainsPage() {
  const { t } = useTranslation();
  useTitle(t('routing.domains'));
  const allowed = useAccount().role === 'tenant-admin';
  const domains = useQuery({ ...domainsQuery, enabled: allowed });
  const [removing, setRemoving] = useState<Domain>();
  const [proving, setProving] = useState<Domain>();
  const list = domains.data?.domains;
  return (
    <main className={classes.narrow}>
      <Titled><Title order={1} size="h2" mb="sm">{t('routing.title')}</Title></Titled>
      {!allowed && <Text role="alert">{t('routing.forbidden')}</Text>}
      {allowed && (
        <>
          <RoutingTabs />
          <Text size="sm" c="dimmed" mb="md">{t('routing.domainsIntro')}</Text>
          {domains.error && <FailureNote error={domains.error} retry={() => void domains.refetch()} />}
          {list && (
            <Stack gap="md">
              {list.length === 0 && <Alert variant="light" color="blue" icon={<IconInfoCircle size={18} aria-hidden />}>{t('routing.noDomains')}</Alert>}
              {list.length > 0 && <DomainTable list={list} remove={setRemoving} prove={setProving} />}
              <AddDomain list={list} />
            </Stack>
          )}
        </>
      )}
      {proving && <Proof domain={proving} close={() => setProving(undefined)} />}
      {removing && <RemoveDomain domain={removing} last={list?.length === 1} close={() => setRemoving(undefined)} />}
    </main>
  );
}

function DomainTable({ list, remove, prove }: { list: readonly Domain[]; remove: (d: Domain) => void; prove: (d: Domain) => void }) {
  const { t, i18n } = useTranslation();
  const zone = useAccount().tenant?.zone;
  return (
    <Paper withBorder radius="md" className={`${classes.panel} ${classes.scroll}`}>
      <Table aria-label={t('routing.domains')}>
        <Table.Thead>
          <Table.Tr><Table.Th>{t('routing.domain')}</Table.Th><Table.Th>{t('routing.waiting')}</Table.Th><Table.Th /></Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {list.map((d) => (
            <Table.Tr key={d.name}>
              <Table.Td>
                <span className={classes.name}>{d.name}</span>
                {d.alias_of && <Text size="xs" c="dimmed">{t('routing.aliasOf', { domain: d.alias_of })}</Text>}
                <div>
                  <Anchor component="button" type="button" size="sm" ta="left" onClick={() => prove(d)} aria-label={t('proving.show', { domain: d.name })}>
                    {d.proof.proven_at ? t('proving.proven', { time: formatDateTime(d.proof.proven_at, i18n.language, zone) }) : t('proving.notProven')}
                  </Anchor>
                  {d.proof.needed && !d.proof.proven_at && <Text size="xs" c="var(--m-bad)">{t('proving.needed')}</Text>}
                </div>
              </Table.Td>
              <Table.Td>
                {d.waiting > 0
                  ? <Link to="/quarantine" search={{ domain: d.name }}>{t('routing.toRelease', { count: d.waiting, number: formatNumber(d.waiting, i18n.language) })}</Link>
                  : <Text size="sm" c="dimmed">{t('routing.nothingWaits')}</Text>}
              </Table.Td>
              <Table.Td ta="right">
                <ActionIcon variant="subtle" color="gray" onClick={() => remove(d)} aria-label={t('routing.removeDomain', { domain: d.name })}><IconTrash size={18} aria-hidden /></ActionIcon>
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Paper>
  );
}

// reasonOf says in the reader's language why a domain was not taken.
function reasonOf(error: unknown): 'taken' | 'unavailable' | 'badDomain' | undefined {
  if (!hasCode(error, 'invalid') || !(error instanceof Failure)) {
    return undefined;
  }
  const code = error.problem?.errors?.[0]?.code;
  return code === 'taken' || code === 'unavailable' ? code : 'badDomain';
}

function AddDomain({ list }: { list: readonly Domain[] }) {
  const { t, i18n } = useTranslation();
  const [name, setName] = useState('');
  const [main, setMain] = useState('');
  const add = useMutation({
    mutationFn: () => ask<Domain>(addDomain({ body: { name, ...(main && { alias_of: main }) } })),
    onSuccess: () => {
      setName('');
      setMain('');
      decided();
    },
  });
  const reason = reasonOf(add.error);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (name.trim() !== '') add.mutate();
  };
  const mains = list.filter((d) => !d.alias_of).map((d) => ({ value: d.name, label: t('routing.aliasOf', { domain: d.name }) }));
  return (
    <Paper withBorder radius="md" p="lg" className={classes.panel}>
      <form onSubmit={submit} noValidate>
        <Title order={2} size="h5" mb="sm">{t('routing.addDomain')}</Title>
        <Group align="flex-start" gap="md">
          <TextInput flex="1 1 220px" label={t('routing.domain')} placeholder={t('routing.domainHint')} value={name} maxLength={300} onChange={(e) => setName(e.currentTarget.value)} error={reason && t(`routing.wrong.${reason}`)} autoCapitalize="none" spellCheck={false} />
          {mains.length > 0 && <NativeSelect flex="1 1 220px" label={t('routing.kind')} value={main} onChange={(e) => setMain(e.currentTarget.value)} data={[{ value: '', label: t('routing.own') }, ...mains]} />}
          <Button type="submit" mt={25} loading={add.isPending} leftSection={<IconPlus size={16} aria-hidden />}>{t('routing.add')}</Button>
        </Group>
        {main && <Text size="xs" c="dimmed" mt="xs">{t('routing.aliasHint', { domain: main })}</Text>}
        {list.length === 0 && <Text size="xs" c="dimmed" mt="xs">{t('routing.firstHint')}</Text>}
        {add.error && !reason && <FailureNote error={add.error} />}
        <div role="status">
          {add.data && (
            <Alert variant="light" color={add.data.waiting > 0 ? 'orange' : 'green'} mt="md" icon={<IconInfoCircle size={18} aria-hidden />}>
              {t('routing.added', { domain: add.data.name })}{' '}
              {add.data.waiting > 0 && <Link to="/quarantine" search={{ domain: add.data.name }}>{t('routing.belong', { count: add.data.waiting, number: formatNumber(add.data.waiting, i18n.language) })}</Link>}
            </Alert>
          )}
        </div>
      </form>
    </Paper>
  );
}

function RemoveDomain({ domain, last, close }: { domain: Domain; last: boolean; close: () => void }) {
  const { t } = useTranslation();
  const remove = useMutation({
    mutationFn: () => ask(removeDomain({ path: { name: domain.name } })),
    onSuccess: () => {
      decided();
      close();
    },
  });
  return (
    <Modal opened onClose={close} title={t('routing.removeDomain', { domain: domain.name })} closeButtonProps={{ 'aria-label': t('app.close') }}>
      <Stack>
        <Text size="sm">{t(last ? 'routing.removeLast' : 'routing.removeHint')}</Text>
        {remove.error && (hasCode(remove.error, 'invalid') ? <Text size="sm" c="var(--m-bad)" role="alert">{t('routing.hasAlias')}</Text> : <FailureNote error={remove.error} compact />)}
        <Group justify="flex-end">
          <Button variant="default" onClick={close}>{t('routing.cancel')}</Button>
          <Button color="red" loading={remove.isPending} onClick={() => remove.mutate()}>{t('routing.remove')}</Button>
        </Group>
      </Stack>
    </Modal>
  );
}
