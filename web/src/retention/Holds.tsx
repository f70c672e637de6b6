import { Badge, Button, Group, Paper, Radio, Stack, TagsInput, Text, Textarea, TextInput, Title } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { useState, type FormEvent } from 'react';
import { useTranslation } from 'react-i18next';

import classes from '../access/Access.module.css';
import { placeHold, requestLift, type AccessRequest, type Hold } from '../api';
import { ask } from '../failure';
import { formatDateTime, plain } from '../format';
import { useAccount } from '../shell/usePage';
import { Mistake } from './Mistake';
import { inAWeek, kept } from './queries';
import { useScope } from './Scope';

// Holds lists the holds and places new ones, on chosen messages if there are any.
export function Holds({ list, messages }: { list: readonly Hold[]; messages: readonly string[] }) {
  const { t } = useTranslation();
  return (
    <section aria-labelledby="holds">
      <Title order={2} size="h4" mb="xs" id="holds">{t('retention.holds')}</Title>
      <Text size="sm" c="dimmed" mb="sm" maw={640}>{t('retention.holdsHint')}</Text>
      <Stack gap="sm">
        <PlaceForm key={messages.join()} messages={messages} />
        {list.length === 0 && <Text size="sm" c="dimmed">{t('retention.noHolds')}</Text>}
        {list.map((h) => <HoldCard key={h.id} hold={h} />)}
      </Stack>
    </section>
  );
}

function HoldCard({ hold: h }: { hold: Hold }) {
  const { t, i18n } = useTranslation();
  const scope = useScope();
  const zone = useAccount().tenant?.zone;
  const when = (at: string) => formatDateTime(at, i18n.language, zone);
  return (
    <Paper withBorder radius="md" p="md" className={classes.panel} component="article" aria-label={t('retention.holdOf', { name: plain(h.name) })}>
      <Group justify="space-between" gap="xs" align="flex-start">
        <Text className={classes.name}>{plain(h.name)}</Text>
        <Badge variant="light" color={h.in_force ? 'orange' : 'gray'} radius="sm" tt="none" c="var(--mantine-color-text)">{t(h.in_force ? 'retention.inForce' : 'retention.lifted')}</Badge>
      </Group>
      <dl className={classes.facts}>
        <dt>{t('retention.covers')}</dt><dd>{scope(h.scope)}</dd>
        <dt>{t('access.reason')}</dt><dd>{plain(h.reason)}</dd>
        <dt>{t('retention.placed')}</dt><dd>{t('access.byAt', { person: plain(h.placed_by) || '–', date: when(h.placed_at) })}</dd>
        {h.lifted_at && <><dt>{t('retention.lifted')}</dt><dd>{t('access.byAt', { person: plain(h.lifted_by ?? '') || '–', date: when(h.lifted_at) })}, {t('retention.approvedBy', { person: plain(h.approved_by ?? '') || '–' })}: {plain(h.lift_reason ?? '')}</dd></>}
      </dl>
      {h.in_force && (h.request ? <Text size="sm" mt="sm"><Link to="/access" className={classes.link}>{t('retention.liftWaits')}</Link></Text> : <Lift hold={h} />)}
    </Paper>
  );
}

function Lift({ hold }: { hold: Hold }) {
  const { t } = useTranslation();
  const [open, setOpen] = useState(false);
  const [reason, setReason] = useState('');
  const lift = useMutation({ mutationFn: () => ask<AccessRequest>(requestLift({ path: { id: hold.id }, body: { reason, until: inAWeek() } })), onSuccess: kept });
  if (!open) {
    return <Button mt="sm" size="xs" variant="default" onClick={() => setOpen(true)} aria-label={t('retention.askLiftOf', { name: plain(hold.name) })}>{t('retention.askLift')}</Button>;
  }
  const submit = (event: FormEvent) => {
    event.preventDefault();
    lift.mutate();
  };
  return (
    <form onSubmit={submit} noValidate>
      <Stack gap="xs" mt="sm">
        <Textarea label={t('retention.liftReason')} description={t('retention.liftHint')} required autosize minRows={2} maxRows={8} value={reason} maxLength={2000} onChange={(e) => setReason(e.currentTarget.value)} />
        {lift.error && <Mistake error={lift.error} />}
        <Group gap="xs">
          <Button type="submit" size="xs" loading={lift.isPending}>{t('access.send')}</Button>
          <Button size="xs" variant="default" onClick={() => setOpen(false)}>{t('retention.cancel')}</Button>
        </Group>
      </Stack>
    </form>
  );
}

function PlaceForm({ messages }: { messages: readonly string[] }) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const chosen = messages.length > 0;
  const [open, setOpen] = useState(chosen);
  const empty = { name: '', reason: '', scope: chosen ? 'messages' : 'addresses', addresses: [] as string[], from: '', to: '' };
  const [form, setForm] = useState(empty);
  const [missing, setMissing] = useState(false);
  const set = (change: Partial<typeof empty>) => setForm((old) => ({ ...old, ...change }));
  const place = useMutation({
    mutationFn: () => ask<Hold>(placeHold({ body: {
      name: form.name, reason: form.reason,
      ...(form.scope === 'messages' ? { messages: [...messages] } : { ...(form.from && { from: form.from }), ...(form.to && { to: form.to }), ...(form.scope === 'all' ? { all: true } : { addresses: form.addresses }) }),
    } })),
    onSuccess: () => {
      setForm(empty);
      setOpen(false);
      kept();
      if (chosen) {
        void navigate({ to: '/retention', search: {} });
      }
    },
  });
  if (!open) {
    return <Group><Button onClick={() => setOpen(true)}>{t('retention.place')}</Button></Group>;
  }
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setMissing(form.scope === 'addresses' && form.addresses.length === 0);
    if (form.scope !== 'addresses' || form.addresses.length > 0) {
      place.mutate();
    }
  };
  return (
    <Paper withBorder p="lg" radius="md" className={classes.panel} component="section" aria-label={t('retention.place')}>
      <form onSubmit={submit} noValidate>
        <Stack gap="md">
          <TextInput label={t('retention.name')} required value={form.name} maxLength={200} onChange={(e) => set({ name: e.currentTarget.value })} />
          <Textarea label={t('access.reason')} description={t('retention.reasonHint')} required autosize minRows={2} maxRows={8} value={form.reason} maxLength={2000} onChange={(e) => set({ reason: e.currentTarget.value })} />
          <Radio.Group label={t('retention.covers')} value={form.scope} onChange={(scope) => set({ scope })}>
            <Stack gap="xs" mt="xs">
              {chosen && <Radio value="messages" label={t('retention.scopeMessages', { count: messages.length })} />}
              <Radio value="addresses" label={t('retention.ofAddresses')} />
              <Radio value="all" label={t('retention.scopeAll')} />
            </Stack>
          </Radio.Group>
          {form.scope === 'addresses' && <TagsInput label={t('access.addresses')} description={t('retention.addressesHint')} required error={missing && form.addresses.length === 0 && t('retention.noAddresses')} value={form.addresses} onChange={(addresses) => set({ addresses })} splitChars={[',', ' ', ';']} acceptValueOnBlur />}
          {form.scope !== 'messages' && (
            <Group grow align="flex-start">
              <TextInput type="date" label={t('retention.from')} description={t('retention.periodHint')} value={form.from} onChange={(e) => set({ from: e.currentTarget.value })} />
              <TextInput type="date" label={t('retention.to')} description={t('retention.periodHint')} value={form.to} onChange={(e) => set({ to: e.currentTarget.value })} />
            </Group>
          )}
          {place.error && <Mistake error={place.error} />}
          <Group gap="xs">
            <Button type="submit" loading={place.isPending}>{t('retention.place')}</Button>
            <Button variant="default" onClick={() => setOpen(false)}>{t('retention.cancel')}</Button>
          </Group>
        </Stack>
      </form>
    </Paper>
  );
}
