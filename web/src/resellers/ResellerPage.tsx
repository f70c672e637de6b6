import { Button, ColorInput, FileInput, Group, NumberInput, PasswordInput, Stack, Text, TextInput, Title } from '@mantine/core';
import { useMutation, useQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { IconArrowLeft, IconCheck, IconPlus } from '@tabler/icons-react';
import { useState, type FormEvent } from 'react';
import { useTranslation } from 'react-i18next';

import { addStaff, changeReseller, type Reseller, type ResellerChange, type StaffMember } from '../api';
import { ask } from '../failure';
import { queries } from '../queries';
import { FailureNote } from '../shell/Failure';
import { Titled } from '../shell/ManualLink';
import { useAccount, useTitle } from '../shell/usePage';
import { Limit, Refusal, Section } from '../tenants/Parts';
import { changed, resellerQuery, resellersQuery, staffQuery } from '../tenants/queries';
import classes from '../tenants/Tenants.module.css';

const route = getRouteApi('/frame/resellers/$id');

// ResellerPage shows an operator one reseller.
export function ResellerPage() {
  const { t } = useTranslation();
  const { id } = route.useParams();
  const reseller = useQuery(resellerQuery(id));
  useTitle(reseller.data?.name ?? t('resellers.title'));
  return (
    <main className={classes.narrow}>
      <Button variant="subtle" size="compact-sm" mb="sm" renderRoot={(props) => <Link to="/resellers" {...props} />} leftSection={<IconArrowLeft size={16} aria-hidden />}>{t('resellers.title')}</Button>
      {reseller.error && <FailureNote error={reseller.error} retry={() => void reseller.refetch()} />}
      {reseller.data && <Parts key={reseller.data.id} reseller={reseller.data} />}
    </main>
  );
}

// OwnResellerPage shows one of a reseller's staff how the archive looks to its customers.
export function OwnResellerPage() {
  const { t } = useTranslation();
  useTitle(t('resellers.own'));
  const allowed = useAccount().role === 'reseller';
  const list = useQuery({ ...resellersQuery, enabled: allowed });
  const own = list.data?.resellers[0];
  return (
    <main className={classes.narrow}>
      {!allowed && <Text role="alert">{t('resellers.forbidden')}</Text>}
      {list.error && <FailureNote error={list.error} retry={() => void list.refetch()} />}
      {own && <Parts key={own.id} reseller={own} />}
    </main>
  );
}

function Parts({ reseller }: { reseller: Reseller }) {
  const { t } = useTranslation();
  const operator = useAccount().role === 'operator';
  return (
    <Stack gap="lg">
      <Titled><Title order={1} size="h2" className={classes.breakable}>{reseller.name}</Title></Titled>
      <Section id="limits" title={t('tenants.limits')}>
        <Text size="sm" c="dimmed">{t('resellers.limitsHint')}</Text>
        {reseller.limits.map((use) => <Limit key={use.what} use={use} />)}
      </Section>
      {operator && <Basics reseller={reseller} />}
      <Look reseller={reseller} />
      <StaffSection reseller={reseller} operator={operator} />
    </Stack>
  );
}

function useSave(reseller: Reseller) {
  return useMutation({
    mutationFn: (body: ResellerChange) => ask<Reseller>(changeReseller({ path: { id: reseller.id }, body })),
    onSuccess: changed,
  });
}

function Saved({ show }: { show: boolean }) {
  const { t } = useTranslation();
  return <Text size="sm" c="dimmed" role="status" component="span">{show && <Group gap={6} component="span"><IconCheck size={16} aria-hidden />{t('tenants.saved')}</Group>}</Text>;
}

const gigabyte = 1_000_000_000;

function Basics({ reseller }: { reseller: Reseller }) {
  const { t } = useTranslation();
  const limit = (what: string) => reseller.limits.find((l) => l.what === what)?.limit ?? 0;
  const [name, setName] = useState(reseller.name);
  const [host, setHost] = useState(reseller.host ?? '');
  const [customers, setCustomers] = useState<number | string>(limit('customers') || '');
  const [mailboxes, setMailboxes] = useState<number | string>(limit('mailboxes') || '');
  const [storage, setStorage] = useState<number | string>(limit('storage') / gigabyte || '');
  const save = useSave(reseller);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    save.mutate({ name, host, limits: { customers: Number(customers) || 0, mailboxes: Number(mailboxes) || 0, storage: Math.round((Number(storage) || 0) * gigabyte) } });
  };
  return (
    <Section id="basics" title={t('tenants.settings')}>
      <form onSubmit={submit}>
        <Stack gap="md">
          <TextInput label={t('tenants.name')} value={name} maxLength={200} onChange={(e) => setName(e.currentTarget.value)} />
          <TextInput label={t('resellers.host')} description={t('resellers.hostHint')} value={host} maxLength={253} autoCapitalize="none" onChange={(e) => setHost(e.currentTarget.value)} />
          <Group grow align="flex-end">
            <NumberInput label={t('tenants.limit.customers')} description={t('tenants.noneHint')} value={customers} min={0} allowDecimal={false} onChange={setCustomers} />
            <NumberInput label={t('tenants.limit.mailboxes')} description={t('tenants.noneHint')} value={mailboxes} min={0} allowDecimal={false} onChange={setMailboxes} />
            <NumberInput label={t('tenants.storageLimit')} description={t('tenants.noneHint')} value={storage} min={0} onChange={setStorage} />
          </Group>
          {save.error && <Refusal error={save.error} />}
          <Group><Button type="submit" loading={save.isPending}>{t('tenants.save')}</Button><Saved show={save.isSuccess} /></Group>
        </Stack>
      </form>
    </Section>
  );
}

// base64 is the content of a file as the interface takes it.
async function base64(file: File): Promise<string> {
  const bytes = new Uint8Array(await file.arrayBuffer());
  let text = '';
  for (const b of bytes) text += String.fromCharCode(b);
  return btoa(text);
}

function Look({ reseller }: { reseller: Reseller }) {
  const { t } = useTranslation();
  const look = reseller.branding;
  const [name, setName] = useState(look.name ?? '');
  const [accent, setAccent] = useState(look.accent ?? '');
  const [replyTo, setReplyTo] = useState(look.reply_to ?? '');
  const [support, setSupport] = useState(look.support ?? '');
  const [file, setFile] = useState<File | null>(null);
  const save = useSave(reseller);
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    const body: ResellerChange = { branding: { name, accent, reply_to: replyTo, support } };
    if (file) body.logo = await base64(file);
    save.mutate(body, { onSuccess: () => setFile(null) });
  };
  return (
    <Section id="look" title={t('resellers.look')}>
      <Text size="sm" c="dimmed">{t('resellers.lookHint')}</Text>
      <form onSubmit={(event) => void submit(event)}>
        <Stack gap="md">
          <TextInput label={t('resellers.brandName')} description={t('resellers.brandNameHint')} value={name} maxLength={200} onChange={(e) => setName(e.currentTarget.value)} />
          <ColorInput label={t('resellers.accent')} description={t('resellers.accentHint')} value={accent} onChange={setAccent} maxLength={7} withEyeDropper={false} />
          <Group align="flex-end">
            <FileInput label={t('resellers.logo')} description={t('resellers.logoHint')} placeholder={t('resellers.choose')} accept="image/png" value={file} onChange={setFile} flex="1 1 240px" />
            {look.logo && <img src={`/api/v1/logos/${look.logo}`} alt={t('resellers.logo')} className={classes.preview} />}
            {look.logo && <Button variant="default" onClick={() => save.mutate({ logo: '' })}>{t('resellers.noLogo')}</Button>}
          </Group>
          <TextInput label={t('resellers.support')} description={t('resellers.supportHint')} type="email" value={support} maxLength={254} onChange={(e) => setSupport(e.currentTarget.value)} />
          <TextInput label={t('resellers.replyTo')} description={t('resellers.replyToHint')} type="email" value={replyTo} maxLength={254} onChange={(e) => setReplyTo(e.currentTarget.value)} />
          {save.error && <Refusal error={save.error} />}
          <Group><Button type="submit" loading={save.isPending}>{t('tenants.save')}</Button><Saved show={save.isSuccess} /></Group>
        </Stack>
      </form>
    </Section>
  );
}

function StaffSection({ reseller, operator }: { reseller: Reseller; operator: boolean }) {
  const { t } = useTranslation();
  const staff = useQuery(staffQuery(reseller.id));
  const [draft, setDraft] = useState({ login: '', name: '', password: '' });
  const add = useMutation({
    mutationFn: () => ask<StaffMember>(addStaff({ path: { id: reseller.id }, body: draft })),
    onSuccess: () => {
      setDraft({ login: '', name: '', password: '' });
      void queries.invalidateQueries({ queryKey: staffQuery(reseller.id).queryKey });
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    add.mutate();
  };
  return (
    <Section id="staff" title={t('resellers.staff')}>
      <Text size="sm" c="dimmed">{t('resellers.staffHint')}</Text>
      {staff.error && <FailureNote error={staff.error} compact />}
      {staff.data?.staff.map((u) => <Text key={u.id} size="sm"><strong>{u.login}</strong> {u.name !== u.login && u.name}{u.disabled && ` (${t('resellers.disabled')})`}</Text>)}
      {staff.data?.staff.length === 0 && <Text size="sm">{t('resellers.noStaff')}</Text>}
      {operator && (
        <form onSubmit={submit} autoComplete="off">
          <Stack gap="sm">
            <Group grow align="flex-start">
              <TextInput label={t('tenants.login')} value={draft.login} required maxLength={128} autoCapitalize="none" onChange={(e) => setDraft({ ...draft, login: e.currentTarget.value })} />
              <TextInput label={t('tenants.person')} value={draft.name} maxLength={200} onChange={(e) => setDraft({ ...draft, name: e.currentTarget.value })} />
              <PasswordInput label={t('tenants.password')} value={draft.password} required maxLength={1024} autoComplete="new-password" onChange={(e) => setDraft({ ...draft, password: e.currentTarget.value })} />
            </Group>
            {add.error && <Refusal error={add.error} />}
            <div><Button type="submit" variant="default" loading={add.isPending} leftSection={<IconPlus size={16} aria-hidden />}>{t('resellers.addStaff')}</Button></div>
          </Stack>
        </form>
      )}
    </Section>
  );
}
