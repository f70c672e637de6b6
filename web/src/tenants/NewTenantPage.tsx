import { Alert, Button, Code, CopyButton, Group, NumberInput, PasswordInput, Stack, Text, Textarea, TextInput, Title } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { IconCheck } from '@tabler/icons-react';
import { useState, type FormEvent } from 'react';
import { useTranslation } from 'react-i18next';

import { provisionTenant, type Order, type Provisioned } from '../api';
import { ask } from '../failure';
import { Titled } from '../shell/ManualLink';
import { useAccount, useTitle } from '../shell/usePage';
import { Copy } from '../sources/Signs';
import { Refusal, Section } from './Parts';
import { changed } from './queries';
import { ResellerField } from './ResellerField';
import classes from './Tenants.module.css';

// NewTenantPage orders a customer as a shop does: the same call, once for each form.
export function NewTenantPage() {
  const { t } = useTranslation();
  useTitle(t('tenants.new'));
  const { role } = useAccount();
  const [reference] = useState(() => `web-${crypto.randomUUID()}`);
  const [draft, setDraft] = useState({ name: '', slug: '', domains: '', login: '', person: '', address: '', password: '', reseller: '' });
  const [mailboxes, setMailboxes] = useState<number | string>('');
  const change = (part: Partial<typeof draft>) => setDraft((old) => ({ ...old, ...part }));
  const make = useMutation({
    mutationFn: () => {
      const body: Order = { reference, name: draft.name, domains: draft.domains.split(/[\s,;]+/u).filter(Boolean).map((name) => ({ name })) };
      if (draft.slug.trim()) body.slug = draft.slug;
      if (Number(mailboxes)) body.limits = { mailboxes: Number(mailboxes) };
      if (draft.reseller) body.reseller = draft.reseller;
      if (draft.login.trim()) {
        body.admin = { login: draft.login, name: draft.person, addresses: draft.address.split(/[\s,;]+/u).filter(Boolean), ...(draft.password && { password: draft.password }) };
      }
      return ask<Provisioned>(provisionTenant({ body }));
    },
    onSuccess: changed,
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    make.mutate();
  };
  return (
    <main className={classes.narrow}>
      <Titled><Title order={1} size="h2" mb="md">{t('tenants.new')}</Title></Titled>
      {make.data ? <Made made={make.data} /> : (
        <form onSubmit={submit} autoComplete="off">
          <Stack gap="lg">
            <Section id="customer" title={t('tenants.facts')}>
              <TextInput label={t('tenants.name')} value={draft.name} required maxLength={200} onChange={(e) => change({ name: e.currentTarget.value })} />
              <TextInput label={t('tenants.slug')} description={t('tenants.slugHint')} value={draft.slug} maxLength={63} autoCapitalize="none" onChange={(e) => change({ slug: e.currentTarget.value })} />
              <Textarea label={t('tenants.domains')} description={t('tenants.domainsHint')} value={draft.domains} autosize minRows={2} autoCapitalize="none" spellCheck={false} onChange={(e) => change({ domains: e.currentTarget.value })} />
              <NumberInput label={t('tenants.mailboxLimit')} description={t('tenants.noneHint')} value={mailboxes} min={0} allowDecimal={false} onChange={setMailboxes} />
              {role === 'operator' && <ResellerField value={draft.reseller} change={(reseller) => change({ reseller })} />}
            </Section>
            <Section id="admin" title={t('tenants.admin')}>
              <TextInput label={t('tenants.login')} description={t('tenants.loginHint')} value={draft.login} maxLength={128} autoCapitalize="none" onChange={(e) => change({ login: e.currentTarget.value })} />
              <TextInput label={t('tenants.person')} description={t('tenants.personHint')} value={draft.person} maxLength={200} onChange={(e) => change({ person: e.currentTarget.value })} />
              <TextInput label={t('tenants.address')} description={t('tenants.addressHint')} value={draft.address} maxLength={2000} onChange={(e) => change({ address: e.currentTarget.value })} />
              <PasswordInput label={t('tenants.password')} description={t('tenants.passwordHint')} value={draft.password} maxLength={1024} autoComplete="new-password" onChange={(e) => change({ password: e.currentTarget.value })} />
            </Section>
            {make.error && <Refusal error={make.error} />}
            <Group>
              <Button type="submit" loading={make.isPending} disabled={draft.name.trim() === ''}>{t('tenants.create')}</Button>
              <Button variant="default" renderRoot={(props) => <Link to="/tenants" {...props} />}>{t('tenants.cancel')}</Button>
            </Group>
          </Stack>
        </form>
      )}
    </main>
  );
}

function Made({ made }: { made: Provisioned }) {
  const { t } = useTranslation();
  return (
    <Alert variant="light" color="green" icon={<IconCheck aria-hidden />} role="status" title={t('tenants.made', { name: made.name })} styles={{ title: { color: 'var(--mantine-color-text)' } }}>
      <Stack gap="sm" align="flex-start">
        <Text size="sm">{t('tenants.madeHint')}</Text>
        <Group gap="xs">
          <Code className={classes.breakable}>{made.journal_address}</Code>
          <CopyButton value={made.journal_address}>{({ copied, copy }) => <Button size="compact-sm" variant="default" onClick={copy}>{t(copied ? 'proof.copied' : 'tenants.copy')}</Button>}</CopyButton>
        </Group>
        {made.log_in_link && (
          <div>
            <Text size="sm">{t('tenants.link')}</Text>
            <Group gap={4} wrap="nowrap"><Code className={classes.breakable}>{made.log_in_link}</Code><Copy value={made.log_in_link} label={t('tenants.copyLink')} /></Group>
          </div>
        )}
        <Button size="sm" renderRoot={(props) => <Link to="/tenants/$id" params={{ id: made.tenant }} {...props} />}>{t('tenants.open')}</Button>
      </Stack>
    </Alert>
  );
}
