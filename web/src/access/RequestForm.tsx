import { Alert, Button, Group, Paper, Stack, Switch, TagsInput, Textarea, TextInput, Title } from '@mantine/core';
import { IconAlertTriangle } from '@tabler/icons-react';
import { useMutation } from '@tanstack/react-query';
import { useState, type FormEvent } from 'react';
import { useTranslation } from 'react-i18next';

import { requestAccess, type AccessRequest } from '../api';
import { ask } from '../failure';
import { formatForField } from '../format';
import { Mistake } from '../retention/Mistake';
import { wrongOf } from '../users/wrong';
import classes from './Access.module.css';
import { settled } from './queries';

const week = 7 * 24 * 60 * 60 * 1000;

const empty = () => ({ export: false, addresses: [] as string[], from: '', to: '', query: '', reason: '', covert: '', until: formatForField(new Date(Date.now() + week)) });

// atField are the members of a request that have a field here.
const atField = new Set(['addresses', 'from', 'to', 'query', 'reason', 'until', 'covert']);

// RequestForm asks for access to other people's mail.
export function RequestForm() {
  const { t } = useTranslation();
  const [form, setForm] = useState(empty);
  const [hidden, setHidden] = useState(false);
  const set = (change: Partial<ReturnType<typeof empty>>) => setForm((old) => ({ ...old, ...change }));
  const send = useMutation({
    mutationFn: () => {
      const until = new Date(form.until);
      return ask<AccessRequest>(requestAccess({
        body: {
          kind: form.export ? 'export' : form.addresses.length > 1 ? 'session' : 'mailbox', addresses: form.addresses, reason: form.reason, ...(!Number.isNaN(until.getTime()) && { until: until.toISOString() }),
          ...(form.from && { from: form.from }), ...(form.to && { to: form.to }), ...(form.query && { query: form.query }), ...(hidden && { covert: form.covert }),
        },
      }));
    },
    onSuccess: () => {
      setForm(empty());
      setHidden(false);
      settled();
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    send.mutate();
  };
  const wrong = wrongOf(t, send.error);
  // What is wrong stands at its field; what has none here is said below.
  const elsewhere = send.error && !(Object.keys(wrong).length > 0 && Object.keys(wrong).every((field) => atField.has(field)));
  return (
    <Paper withBorder p="lg" radius="md" component="section" aria-labelledby="ask" className={classes.panel}>
      <Title order={2} size="h4" mb="md" id="ask">{t('access.ask')}</Title>
      <form onSubmit={submit} noValidate>
        <Stack gap="md">
          <Switch checked={form.export} onChange={(e) => set({ export: e.currentTarget.checked })} label={t('access.export')} description={t('access.exportHint')} />
          <TagsInput label={t('access.addresses')} description={t(form.export ? 'access.exportAddressesHint' : 'access.addressesHint')} required={!form.export} value={form.addresses} onChange={(addresses) => set({ addresses })} splitChars={[',', ' ', ';']} acceptValueOnBlur error={wrong['addresses']} />
          <Group grow align="flex-start">
            <TextInput type="date" label={t('access.from')} description={t('access.periodHint')} value={form.from} error={wrong['from']} onChange={(e) => set({ from: e.currentTarget.value })} />
            <TextInput type="date" label={t('access.to')} description={t('access.periodHint')} value={form.to} error={wrong['to']} onChange={(e) => set({ to: e.currentTarget.value })} />
          </Group>
          <TextInput label={t('access.query')} description={t('access.queryHint')} value={form.query} error={wrong['query']} maxLength={1000} onChange={(e) => set({ query: e.currentTarget.value })} />
          <Textarea label={t('access.reason')} description={t('access.reasonHint')} required autosize minRows={2} maxRows={8} value={form.reason} error={wrong['reason']} maxLength={2000} onChange={(e) => set({ reason: e.currentTarget.value })} />
          <TextInput type="datetime-local" label={t('access.until')} description={t('access.untilHint')} required value={form.until} error={wrong['until']} onChange={(e) => set({ until: e.currentTarget.value })} maw={320} />
          <Switch checked={hidden} onChange={(e) => setHidden(e.currentTarget.checked)} label={t('access.covert')} description={t('access.covertHint')} />
          {hidden && <Textarea label={t('access.covertReason')} required autosize minRows={2} maxRows={8} value={form.covert} error={wrong['covert']} maxLength={2000} onChange={(e) => set({ covert: e.currentTarget.value })} />}
          {send.error && (elsewhere
            ? <Mistake error={send.error} />
            : <Alert variant="light" color="red" role="alert" icon={<IconAlertTriangle aria-hidden />} title={t('access.invalid')} />)}
          <Group>
            <Button type="submit" loading={send.isPending}>{t('access.send')}</Button>
          </Group>
        </Stack>
      </form>
    </Paper>
  );
}
