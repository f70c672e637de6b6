import { Anchor, Badge, Button, Code, Group, Modal, Paper, Stack, Text, TextInput, Title } from '@mantine/core';
import { queryOptions, useMutation, useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState, type FormEvent } from 'react';
import { useTranslation } from 'react-i18next';

import { changeStaff, endStaffSessions, inviteStaff, listAllStaff, resetStaffFactors, type StaffAccount } from '../api';
import { ask } from '../failure';
import { formatDateTime, formatDay } from '../format';
import { queries } from '../queries';
import { FailureNote } from '../shell/Failure';
import { Titled } from '../shell/ManualLink';
import { useAccount, useTitle } from '../shell/usePage';
import { Copy } from '../sources/Signs';
import { Refusal } from '../tenants/Parts';
import classes from '../tenants/Tenants.module.css';

const staffQuery = queryOptions({
  queryKey: ['all-staff'],
  queryFn: ({ signal }) => ask(listAllStaff({ signal })),
  staleTime: 0,
});

const again = () => void queries.invalidateQueries({ queryKey: staffQuery.queryKey });

// StaffPage lets an operator look after operators and the staff of resellers.
export function StaffPage() {
  const { t } = useTranslation();
  useTitle(t('staff.title'));
  const allowed = useAccount().role === 'operator';
  const staff = useQuery({ ...staffQuery, enabled: allowed });
  return (
    <main className={classes.narrow}>
      <Titled><Title order={1} size="h2" mb="sm">{t('staff.title')}</Title></Titled>
      {!allowed && <Text role="alert">{t('staff.forbidden')}</Text>}
      {allowed && <Text size="sm" c="dimmed" mb="xs">{t('staff.intro')}</Text>}
      {allowed && (
        <Text size="sm" c="dimmed" mb="lg">
          {t('staff.introNew')} <code>muniment operator create</code>. <Anchor inherit underline="always" renderRoot={(props) => <Link to="/resellers" {...props} />}>{t('staff.resellers')}</Anchor>
        </Text>
      )}
      <Stack gap="md">
        {staff.error && <FailureNote error={staff.error} retry={() => void staff.refetch()} />}
        {staff.data?.staff.map((s) => <One key={s.id} person={s} />)}
      </Stack>
    </main>
  );
}

function One({ person: p }: { person: StaffAccount }) {
  const { t, i18n } = useTranslation();
  const [dialog, setDialog] = useState<'edit' | 'factors'>();
  const path = { id: p.id };
  const turn = useMutation({ mutationFn: () => ask(changeStaff({ path, body: { disabled: !p.disabled } })), onSuccess: again });
  const end = useMutation({ mutationFn: () => ask(endStaffSessions({ path })), onSuccess: again });
  const link = useMutation({ mutationFn: () => ask(inviteStaff({ path })) });
  const error = turn.error ?? end.error ?? link.error;
  const role = p.reseller ? t('staff.ofReseller', { reseller: p.reseller }) : t(`role.${p.role}`);
  return (
    <Paper withBorder p="lg" radius="md" component="section" aria-label={p.login} className={classes.panel}>
      <Stack gap="xs">
        <Group justify="space-between" wrap="nowrap" align="flex-start">
          <div>
            <Text className={classes.name}>{p.name}{p.you && ` (${t('staff.you')})`}</Text>
            <Text size="sm" c="dimmed" className={classes.breakable}>{p.login} · {role}{p.address && ` · ${p.address}`}</Text>
          </div>
          {p.disabled && <Badge variant="light" radius="sm" tt="none" color="gray" miw="max-content" styles={{ label: { color: 'var(--mantine-color-text)' } }}>{t('staff.disabled')}</Badge>}
        </Group>
        <Text size="sm">
          {p.logged_in_at ? t('staff.loggedIn', { time: formatDateTime(p.logged_in_at, i18n.language) }) : t('staff.never')}
          {' '}{t('staff.sessions', { count: p.sessions })} {t(p.factors > 0 ? 'staff.withFactor' : 'staff.withoutFactor')}
          {p.expires_on && ` ${t('staff.until', { day: formatDay(p.expires_on, i18n.language) })}`}
        </Text>
        <Group gap="xs">
          <Button size="xs" variant="default" onClick={() => setDialog('edit')}>{t('staff.edit')}</Button>
          <Button size="xs" variant="default" loading={link.isPending} disabled={p.disabled} onClick={() => link.mutate()}>{t('staff.link')}</Button>
          {p.sessions > 0 && <Button size="xs" variant="default" loading={end.isPending} onClick={() => end.mutate()}>{t('staff.endSessions')}</Button>}
          {!p.you && p.factors > 0 && <Button size="xs" variant="default" onClick={() => setDialog('factors')}>{t('staff.resetFactors')}</Button>}
          {!p.you && <Button size="xs" variant="default" loading={turn.isPending} onClick={() => turn.mutate()}>{t(p.disabled ? 'staff.enable' : 'staff.disable')}</Button>}
        </Group>
        {error && <Refusal error={error} />}
        <div role="status">
          {link.data?.mailed_to && <Text size="sm">{t('staff.mailed', { address: link.data.mailed_to })}</Text>}
          {link.data?.url && <><Text size="sm">{t('staff.handOver', { time: formatDateTime(link.data.expires_at, i18n.language) })}</Text><Group gap={4} wrap="nowrap"><Code className={classes.breakable}>{link.data.url}</Code><Copy value={link.data.url} label={t('staff.copyLink')} /></Group></>}
        </div>
      </Stack>
      {dialog === 'edit' && <Edit person={p} close={() => setDialog(undefined)} />}
      {dialog === 'factors' && <Factors person={p} close={() => setDialog(undefined)} />}
    </Paper>
  );
}

function Edit({ person: p, close }: { person: StaffAccount; close: () => void }) {
  const { t } = useTranslation();
  const [name, setName] = useState(p.name);
  const [address, setAddress] = useState(p.address ?? '');
  const [day, setDay] = useState(p.expires_on ?? '');
  const save = useMutation({
    mutationFn: () => ask(changeStaff({ path: { id: p.id }, body: { name, address, ...(!p.you && { expires_on: day }) } })),
    onSuccess: () => {
      again();
      close();
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    save.mutate();
  };
  return (
    <Modal opened onClose={close} title={t('staff.editOf', { name: p.login })} closeButtonProps={{ 'aria-label': t('app.close') }}>
      <form onSubmit={submit} autoComplete="off">
        <Stack>
          <TextInput label={t('staff.name')} value={name} maxLength={200} onChange={(e) => setName(e.currentTarget.value)} />
          <TextInput type="email" label={t('staff.address')} description={t('staff.addressHint')} value={address} maxLength={254} onChange={(e) => setAddress(e.currentTarget.value)} />
          {!p.you && <TextInput type="date" label={t('staff.lastDay')} description={t('staff.lastDayHint')} value={day} onChange={(e) => setDay(e.currentTarget.value)} />}
          {save.error && <Refusal error={save.error} />}
          <Group justify="flex-end">
            <Button variant="default" onClick={close}>{t('tenants.cancel')}</Button>
            <Button type="submit" loading={save.isPending}>{t('staff.save')}</Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}

function Factors({ person: p, close }: { person: StaffAccount; close: () => void }) {
  const { t } = useTranslation();
  const reset = useMutation({
    mutationFn: () => ask(resetStaffFactors({ path: { id: p.id } })),
    onSuccess: () => {
      again();
      close();
    },
  });
  return (
    <Modal opened onClose={close} title={t('staff.resetFactors')} closeButtonProps={{ 'aria-label': t('app.close') }}>
      <Stack>
        <Text size="sm">{t('staff.resetHint', { name: p.name })}</Text>
        {reset.error && <FailureNote error={reset.error} compact />}
        <Group justify="flex-end">
          <Button variant="default" onClick={close}>{t('tenants.cancel')}</Button>
          <Button color="red" loading={reset.isPending} onClick={() => reset.mutate()}>{t('staff.resetFactors')}</Button>
        </Group>
      </Stack>
    </Modal>
  );
}
