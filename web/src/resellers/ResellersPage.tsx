import { Button, Group, Modal, NumberInput, Paper, Stack, Table, Text, TextInput, Title } from '@mantine/core';
import { useMutation, useQuery } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { IconPlus } from '@tabler/icons-react';
import { useState, type FormEvent } from 'react';
import { useTranslation } from 'react-i18next';

import { createReseller, type Reseller } from '../api';
import { ask } from '../failure';
import { formatNumber } from '../format';
import { FailureNote } from '../shell/Failure';
import { Titled } from '../shell/ManualLink';
import { useAccount, useTitle } from '../shell/usePage';
import { Refusal } from '../tenants/Parts';
import { changed, resellersQuery } from '../tenants/queries';
import classes from '../tenants/Tenants.module.css';

// ResellersPage lists the resellers for an operator.
export function ResellersPage() {
  const { t, i18n } = useTranslation();
  useTitle(t('resellers.title'));
  const allowed = useAccount().role === 'operator';
  const resellers = useQuery({ ...resellersQuery, enabled: allowed });
  const [making, setMaking] = useState(false);
  const list = resellers.data?.resellers;
  return (
    <main className={classes.page}>
      <Group justify="space-between" mb="md">
        <Titled><Title order={1} size="h2">{t('resellers.title')}</Title></Titled>
        {allowed && <Button leftSection={<IconPlus size={16} aria-hidden />} onClick={() => setMaking(true)}>{t('resellers.new')}</Button>}
      </Group>
      {!allowed && <Text role="alert">{t('resellers.forbidden')}</Text>}
      {resellers.error && <FailureNote error={resellers.error} retry={() => void resellers.refetch()} />}
      {list && list.length === 0 && <Text c="dimmed">{t('resellers.none')}</Text>}
      {list && list.length > 0 && (
        <Paper withBorder radius="md" className={`${classes.panel} ${classes.scroll}`} tabIndex={0} role="region" aria-label={t('resellers.title')}>
          <Table aria-label={t('resellers.title')} highlightOnHover>
            <Table.Thead>
              <Table.Tr>
                <Table.Th>{t('tenants.name')}</Table.Th><Table.Th className={classes.wide}>{t('resellers.host')}</Table.Th>
                <Table.Th className={classes.number}>{t('tenants.limit.customers')}</Table.Th><Table.Th className={classes.number}>{t('tenants.limit.mailboxes')}</Table.Th>
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {list.map((r) => (
                <Table.Tr key={r.id}>
                  <Table.Td className={classes.name}><Link to="/resellers/$id" params={{ id: r.id }}>{r.name}</Link><Text size="xs" c="dimmed">{r.slug}</Text></Table.Td>
                  <Table.Td className={classes.wide}>{r.host ?? '–'}</Table.Td>
                  {['customers', 'mailboxes'].map((what) => {
                    const use = r.limits.find((l) => l.what === what);
                    return <Table.Td key={what} className={classes.number}>{formatNumber(use?.used ?? 0, i18n.language)}{use && use.limit > 0 && ` / ${formatNumber(use.limit, i18n.language)}`}</Table.Td>;
                  })}
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        </Paper>
      )}
      {making && <NewReseller close={() => setMaking(false)} />}
    </main>
  );
}

function NewReseller({ close }: { close: () => void }) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const [draft, setDraft] = useState({ slug: '', name: '', host: '' });
  const [customers, setCustomers] = useState<number | string>(50);
  const [mailboxes, setMailboxes] = useState<number | string>(500);
  const make = useMutation({
    mutationFn: () => ask<Reseller>(createReseller({ body: {
      slug: draft.slug.trim(), name: draft.name, host: draft.host, limits: { customers: Number(customers) || 0, mailboxes: Number(mailboxes) || 0 },
    } })),
    onSuccess: (made) => {
      changed();
      void navigate({ to: '/resellers/$id', params: { id: made.id } });
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    make.mutate();
  };
  return (
    <Modal opened onClose={close} title={t('resellers.new')} closeButtonProps={{ 'aria-label': t('app.close') }}>
      <form onSubmit={submit}>
        <Stack>
          <TextInput label={t('tenants.name')} value={draft.name} maxLength={200} onChange={(e) => setDraft({ ...draft, name: e.currentTarget.value })} data-autofocus />
          <TextInput label={t('tenants.slug')} description={t('resellers.slugHint')} value={draft.slug} required maxLength={63} autoCapitalize="none" onChange={(e) => setDraft({ ...draft, slug: e.currentTarget.value })} />
          <TextInput label={t('resellers.host')} description={t('resellers.hostHint')} value={draft.host} maxLength={253} autoCapitalize="none" onChange={(e) => setDraft({ ...draft, host: e.currentTarget.value })} />
          <Group grow align="flex-start">
            <NumberInput label={t('tenants.limit.customers')} value={customers} min={0} allowDecimal={false} onChange={setCustomers} />
            <NumberInput label={t('tenants.limit.mailboxes')} value={mailboxes} min={0} allowDecimal={false} onChange={setMailboxes} />
          </Group>
          {make.error && <Refusal error={make.error} />}
          <Group justify="flex-end">
            <Button variant="default" onClick={close}>{t('tenants.cancel')}</Button>
            <Button type="submit" loading={make.isPending}>{t('tenants.create')}</Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
