import { ActionIcon, Alert, Button, Collapse, NativeSelect, NumberInput, PasswordInput, Stack, Switch, Text, Textarea, TextInput } from '@mantine/core';
import { IconAlertTriangle, IconChevronDown, IconChevronRight, IconPlus, IconTrash } from '@tabler/icons-react';
import { useState, type ReactNode } from 'react';
import { useTranslation } from 'react-i18next';

import type { DirectoryLdap } from '../api';
import classes from './Directories.module.css';
import type { Draft } from './draft';

export type FieldProps = {
  draft: Draft;
  change: (part: Partial<Draft>) => void;
  // wrong returns what is wrong with a field, in words, or undefined.
  wrong: (field: string) => string | undefined;
  stored: boolean;
};

const ways = ['implicit', 'starttls', 'none'] as const;

// Line is a field for one line of text that nobody capitalises or corrects.
function Line({ label, hint, value, set, error, required, placeholder }: { label: string; hint?: string; value: string | undefined; set: (v: string) => void; error: string | undefined; required?: boolean; placeholder?: string }) {
  return (
    <TextInput label={label} description={hint} value={value ?? ''} required={required ?? false} {...(placeholder && { placeholder })} maxLength={1000} autoCapitalize="none" spellCheck={false} autoComplete="off"
      onChange={(e) => set(e.currentTarget.value)} error={error} />
  );
}

export function Secret({ draft, change, wrong, stored, label, hint }: FieldProps & { label: string; hint?: string }) {
  const { t } = useTranslation();
  const description = stored ? t('smarthost.passwordKeep') : hint;
  return (
    <PasswordInput label={label} value={draft.secret} maxLength={4096} autoComplete="new-password" {...(description && { description })} {...(stored && { placeholder: t('smarthost.passwordSet') })}
      visibilityToggleButtonProps={{ 'aria-hidden': true, tabIndex: -1 }} onChange={(e) => change({ secret: e.currentTarget.value })} error={wrong('secret')} />
  );
}

type Server = Pick<DirectoryLdap, 'host' | 'port' | 'tls' | 'ca' | 'pin'>;

function ServerFields({ server, set, wrong }: { server: Server; set: (part: Partial<Server>) => void; wrong: FieldProps['wrong'] }) {
  const { t } = useTranslation();
  return (
    <>
      <div className={classes.fields}>
        <Line label={t('directories.host')} hint={t('directories.hostHint')} required value={server.host} set={(host) => set({ host })} error={wrong('host')} />
        <NativeSelect label={t('smarthost.tls')} description={t('directories.tlsHint')} value={server.tls} error={wrong('tls')} onChange={(e) => set({ tls: ways.find((w) => w === e.currentTarget.value) ?? 'implicit' })}
          data={ways.map((value) => ({ value, label: t(`smarthost.tlsWays.${value}`) }))} />
      </div>
      {server.tls === 'none' && <Alert variant="light" color="red" role="alert" py={8} icon={<IconAlertTriangle aria-hidden />}>{t('directories.tlsNone')}</Alert>}
    </>
  );
}

function TrustFields({ server, set, wrong }: { server: Server; set: (part: Partial<Server>) => void; wrong: FieldProps['wrong'] }) {
  const { t } = useTranslation();
  return (
    <>
      <NumberInput label={t('smarthost.port')} description={t('directories.portHint')} value={server.port || ''} allowDecimal={false} allowNegative={false} hideControls thousandSeparator=""
        onChange={(port) => set({ port: typeof port === 'number' ? port : 0 })} error={wrong('port')} />
      <Line label={t('smarthost.pin')} hint={t('smarthost.pinHint')} value={server.pin} set={(pin) => set({ pin })} error={wrong('pin')} />
      <Textarea label={t('smarthost.ca')} description={t('directories.caHint')} value={server.ca ?? ''} maxLength={49152} autosize minRows={2} maxRows={8} spellCheck={false}
        onChange={(e) => set({ ca: e.currentTarget.value })} error={wrong('ca')} />
    </>
  );
}

// Folded hides what few people need, unless something is wrong in it.
function Folded({ forced, children }: { forced: boolean; children: ReactNode }) {
  const { t } = useTranslation();
  const [opened, setOpened] = useState(false);
  const open = opened || forced;
  return (
    <div>
      <Button variant="subtle" color="gray" size="compact-sm" ml={-8} aria-expanded={open} onClick={() => setOpened(!open)}
        leftSection={open ? <IconChevronDown size={16} aria-hidden /> : <IconChevronRight size={16} aria-hidden />}>{t('smarthost.advanced')}</Button>
      <Collapse expanded={open} keepMounted={false}><Stack gap="md" mt="sm">{children}</Stack></Collapse>
    </div>
  );
}

const hours = [{ value: '900', key: 'quarter' }, { value: '3600', key: 'hour' }, { value: '86400', key: 'day' }, { value: '-1', key: 'never' }] as const;

export function LdapFields(props: FieldProps) {
  const { draft, change, wrong } = props;
  const { t } = useTranslation();
  const l = draft.ldap;
  const set = (part: Partial<DirectoryLdap>) => change({ ldap: { ...l, ...part } });
  const ad = l.flavour === 'ad';
  const interval = String(l.interval_seconds || 3600);
  const known = hours.some((h) => h.value === interval);
  return (
    <>
      <NativeSelect label={t('directories.flavour')} value={l.flavour} onChange={(e) => set({ flavour: e.currentTarget.value === 'ad' ? 'ad' : 'generic' })}
        data={[{ value: 'ad', label: t('directories.flavours.ad') }, { value: 'generic', label: t('directories.flavours.generic') }]} />
      <ServerFields server={l} set={set} wrong={wrong} />
      <div className={classes.fields}>
        <Line label={t('directories.bindDN')} hint={t(ad ? 'directories.bindHintAD' : 'directories.bindHint')} required value={l.bind_dn} set={(bind_dn) => set({ bind_dn })} error={wrong('bind_dn')} />
        <Secret {...props} label={t('smarthost.password')} hint={t('directories.readerHint')} />
      </div>
      <Line label={t('directories.baseDN')} hint={t('directories.baseHint')} placeholder={'OU=Mitarbeiter,DC=firma,DC=example'} required value={l.base_dn} set={(base_dn) => set({ base_dn })} error={wrong('base_dn')} />
      <Line label={t('directories.member')} hint={t('directories.memberHint')} value={l.member} set={(member) => set({ member })} error={wrong('member')} />
      <Switch label={t('directories.shared')} description={t('directories.sharedHint')} checked={l.shared ?? false} onChange={(e) => set({ shared: e.currentTarget.checked })} />
      <NativeSelect label={t('directories.interval')} description={t('directories.intervalHint')} value={interval} error={wrong('interval_seconds')} onChange={(e) => set({ interval_seconds: Number(e.currentTarget.value) })}
        data={[...hours.map((h) => ({ value: h.value, label: t(`directories.every.${h.key}`) })), ...(known ? [] : [{ value: interval, label: t('directories.every.seconds', { count: Number(interval) }) }])]} />
      <Folded forced={['port', 'pin', 'ca', 'group_dn', 'filter', 'login', 'addresses', 'public', 'guard_percent'].some((f) => wrong(f))}>
        <TrustFields server={l} set={set} wrong={wrong} />
        <Line label={t('directories.groupDN')} hint={t('directories.groupHint')} value={l.group_dn} set={(group_dn) => set({ group_dn })} error={wrong('group_dn')} />
        <Line label={t('directories.filter')} hint={t('directories.filterHint')} value={l.filter} set={(filter) => set({ filter })} error={wrong('filter')} />
        <Line label={t('directories.login')} hint={t('directories.loginHint')} value={l.login} set={(login) => set({ login })} error={wrong('login')} />
        <Line label={t('directories.addressAttributes')} hint={t('directories.addressHint')} value={l.addresses?.join(' ')} set={(v) => set({ addresses: v === '' ? [] : v.split(/[\s,]/u) })} error={wrong('addresses')} />
        <Line label={t('directories.public')} hint={t('directories.publicHint')} value={l.public} set={(v) => set({ public: v })} error={wrong('public')} />
        <NumberInput label={t('directories.guardPercent')} description={t('directories.guardHint')} value={l.guard_percent || ''} placeholder={'20'} min={0} max={100} hideControls allowDecimal={false} allowNegative={false}
          onChange={(v) => set({ guard_percent: typeof v === 'number' ? v : 0 })} error={wrong('guard_percent')} />
      </Folded>
    </>
  );
}

export function OidcFields(props: FieldProps) {
  const { draft, change, wrong } = props;
  const { t } = useTranslation();
  const o = draft.oidc;
  const set = (part: Partial<Draft['oidc']>) => change({ oidc: { ...o, ...part } });
  return (
    <>
      <Line label={t('directories.issuer')} hint={t('directories.issuerHint')} placeholder={'https://accounts.google.com'} required value={o.issuer} set={(issuer) => set({ issuer })} error={wrong('issuer')} />
      <div className={classes.fields}>
        <Line label={t('directories.clientID')} hint={t('directories.clientHint')} required value={o.client_id} set={(client_id) => set({ client_id })} error={wrong('client_id')} />
        <Secret {...props} label={t('directories.clientSecret')} hint={t('directories.clientSecretHint')} />
      </div>
      <Line label={t('directories.redirect')} hint={t('directories.redirectHint')} required value={o.redirect} set={(redirect) => set({ redirect })} error={wrong('redirect')} />
      <Switch label={t('directories.create')} description={t('directories.createHint')} checked={o.create ?? false} onChange={(e) => set({ create: e.currentTarget.checked })} />
      <Switch label={t('directories.offered')} description={t('directories.offeredHint')} checked={o.offered ?? false} onChange={(e) => set({ offered: e.currentTarget.checked })} />
      <Switch label={t('directories.trustEmail')} description={t('directories.trustEmailHint')} checked={o.trust_email ?? false} onChange={(e) => set({ trust_email: e.currentTarget.checked })} />
      <Folded forced={['hosted', 'group_claim', 'scopes', 'ca'].some((f) => wrong(f))}>
        <Line label={t('directories.hosted')} hint={t('directories.hostedHint')} value={o.hosted} set={(hosted) => set({ hosted })} error={wrong('hosted')} />
        <Line label={t('directories.groupClaim')} hint={t('directories.groupClaimHint')} value={o.group_claim} set={(group_claim) => set({ group_claim })} error={wrong('group_claim')} />
        <Line label={t('directories.scopes')} hint={t('directories.scopesHint')} value={o.scopes?.join(' ')} set={(v) => set({ scopes: v === '' ? [] : v.split(/\s/u) })} error={wrong('scopes')} />
        <Textarea label={t('smarthost.ca')} description={t('directories.caHint')} value={o.ca ?? ''} maxLength={49152} autosize minRows={2} maxRows={8} spellCheck={false} onChange={(e) => set({ ca: e.currentTarget.value })} error={wrong('ca')} />
      </Folded>
    </>
  );
}

export function ImapFields({ draft, change, wrong }: FieldProps) {
  const { t } = useTranslation();
  const i = draft.imap;
  const set = (part: Partial<Draft['imap']>) => change({ imap: { ...i, ...part } });
  return (
    <>
      <ServerFields server={i} set={set} wrong={wrong} />
      <NativeSelect label={t('directories.imapUser')} value={i.user || 'address'} error={wrong('user')} onChange={(e) => set({ user: e.currentTarget.value === 'local' ? 'local' : 'address' })}
        data={[{ value: 'address', label: t('directories.imapUsers.address') }, { value: 'local', label: t('directories.imapUsers.local') }]} />
      <Line label={t('directories.domains')} hint={t('directories.domainsHint')} value={i.domains?.join(' ')} set={(v) => set({ domains: v === '' ? [] : v.split(/[\s,]/u) })} error={wrong('domains')} />
      <Switch label={t('directories.create')} description={t('directories.createHint')} checked={i.create ?? false} onChange={(e) => set({ create: e.currentTarget.checked })} />
      <Folded forced={['port', 'pin', 'ca'].some((f) => wrong(f))}><TrustFields server={i} set={set} wrong={wrong} /></Folded>
    </>
  );
}

const names = ['user', 'tenant-admin', 'auditor', 'dpo'] as const;

// Roles says which group gives which role.
export function Roles({ draft, change, wrong, offered }: FieldProps & { offered: readonly string[] }) {
  const { t } = useTranslation();
  const put = (at: number, part: Partial<Draft['roles'][number]>) => change({ roles: draft.roles.map((r, i) => (i === at ? { ...r, ...part } : r)) });
  const error = wrong('roles');
  return (
    <Stack gap="sm">
      <Text size="sm" c="dimmed">{t(draft.kind === 'ldap' ? 'directories.rolesHint' : 'directories.rolesHintOidc')}</Text>
      {draft.roles.map((r, i) => (
        <div key={i} className={classes.role}>
          <Line label={t('directories.roleGroup')} value={r.group} set={(group) => put(i, { group })} error={undefined} />
          <NativeSelect label={t('directories.role')} value={r.role} onChange={(e) => put(i, { role: e.currentTarget.value })} data={offered.map((value) => ({ value, label: t(`directories.roles.${names.find((n) => n === value) ?? 'user'}`) }))} />
          <ActionIcon variant="subtle" color="gray" size={36} onClick={() => change({ roles: draft.roles.filter((_, k) => k !== i) })} aria-label={t('directories.removeRole', { group: r.group })}><IconTrash size={18} aria-hidden /></ActionIcon>
        </div>
      ))}
      {error && <Text size="sm" c="var(--m-bad)" role="alert">{error}</Text>}
      <div><Button size="xs" variant="default" leftSection={<IconPlus size={16} aria-hidden />} onClick={() => change({ roles: [...draft.roles, { group: '', role: 'auditor' }] })}>{t('directories.addRole')}</Button></div>
    </Stack>
  );
}
