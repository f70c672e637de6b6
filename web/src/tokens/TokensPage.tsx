import { ActionIcon, Alert, Button, Checkbox, Code, CopyButton, Group, Modal, NativeSelect, Paper, Stack, Table, Text, TextInput, Title } from '@mantine/core';
import { useMutation, useQuery } from '@tanstack/react-query';
import { IconInfoCircle, IconPlus, IconTrash } from '@tabler/icons-react';
import { useState, type FormEvent } from 'react';
import { useTranslation } from 'react-i18next';

import { createToken, revokeToken, type CreatedToken, type Token } from '../api';
import { ask } from '../failure';
import { formatDateTime } from '../format';
import { queries } from '../queries';
import { FailureNote } from '../shell/Failure';
import { Titled } from '../shell/ManualLink';
import { useAccount, useTitle } from '../shell/usePage';
import { Refusal, Section } from '../tenants/Parts';
import { tokensQuery } from '../tenants/queries';
import classes from '../tenants/Tenants.module.css';

const again = () => void queries.invalidateQueries({ queryKey: tokensQuery.queryKey });

// TokensPage lists the tokens with which programs use the interface.
export function TokensPage() {
  const { t, i18n } = useTranslation();
  const zone = useAccount().tenant?.zone;
  useTitle(t('tokens.title'));
  const { role } = useAccount();
  const allowed = role === 'operator' || role === 'reseller' || role === 'tenant-admin';
  const tokens = useQuery({ ...tokensQuery, enabled: allowed });
  const [revoking, setRevoking] = useState<Token>();
  const list = tokens.data?.tokens;
  return (
    <main className={classes.narrow}>
      <Titled><Title order={1} size="h2" mb="sm">{t('tokens.title')}</Title></Titled>
      {!allowed && <Text role="alert">{t('tokens.forbidden')}</Text>}
      {allowed && <Text size="sm" c="dimmed" mb="lg">{t('tokens.intro')}</Text>}
      <Stack gap="lg">
        {tokens.error && <FailureNote error={tokens.error} retry={() => void tokens.refetch()} />}
        {tokens.data && <NewTokenForm scopes={tokens.data.scopes} />}
        {list && list.length > 0 && (
          <Paper withBorder radius="md" className={`${classes.panel} ${classes.scroll}`}>
            <Table aria-label={t('tokens.title')}>
              <Table.Thead>
                <Table.Tr><Table.Th>{t('tokens.name')}</Table.Th><Table.Th className={classes.wide}>{t('tokens.expires')}</Table.Th><Table.Th>{t('tokens.used')}</Table.Th><Table.Th /></Table.Tr>
              </Table.Thead>
              <Table.Tbody>
                {list.map((x) => (
                  <Table.Tr key={x.id}>
                    <Table.Td><span className={classes.name}>{x.name}</span> <Code>{x.start}…</Code>{x.scopes.map((s) => <Text key={s} size="xs" c="dimmed">{t(scopeText(s))}</Text>)}</Table.Td>
                    <Table.Td className={classes.wide}><Text size="sm">{x.expires_at ? formatDateTime(x.expires_at, i18n.language, zone) : t('tokens.never')}</Text></Table.Td>
                    <Table.Td><Text size="sm">{x.used_at ? formatDateTime(x.used_at, i18n.language, zone) : t('tokens.unused')}</Text><Text size="xs" c="dimmed">{x.used_from.slice(0, 3).join(', ')}</Text></Table.Td>
                    <Table.Td ta="right"><ActionIcon variant="subtle" color="gray" onClick={() => setRevoking(x)} aria-label={t('tokens.revoke', { name: x.name })}><IconTrash size={18} aria-hidden /></ActionIcon></Table.Td>
                  </Table.Tr>
                ))}
              </Table.Tbody>
            </Table>
          </Paper>
        )}
      </Stack>
      {revoking && <Revoke token={revoking} close={() => setRevoking(undefined)} />}
    </main>
  );
}

// scopeText names the words for a right of a token.
const scopeText = (scope: string) => `tokens.scope.${scope.replace(':', '-') as 'tenants-read'}` as const;

const days = [30, 90, 365, 0] as const;

function NewTokenForm({ scopes }: { scopes: readonly string[] }) {
  const { t } = useTranslation();
  const [name, setName] = useState('');
  const [chosen, setChosen] = useState<string[]>([]);
  const [lasts, setLasts] = useState('365');
  const make = useMutation({
    mutationFn: () => ask<CreatedToken>(createToken({ body: {
      name, scopes: chosen, ...(lasts !== '0' && { expires_at: new Date(Date.now() + Number(lasts) * 86_400_000).toISOString() }),
    } })),
    onSuccess: () => {
      setName('');
      again();
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    make.mutate();
  };
  return (
    <Section id="new" title={t('tokens.new')}>
      <form onSubmit={submit} autoComplete="off">
        <Stack gap="md">
          <Group align="flex-start" grow>
            <TextInput label={t('tokens.name')} description={t('tokens.nameHint')} value={name} required maxLength={200} onChange={(e) => setName(e.currentTarget.value)} />
            <NativeSelect label={t('tokens.expires')} description={t('tokens.expiresHint')} value={lasts} onChange={(e) => setLasts(e.currentTarget.value)}
              data={days.map((d) => ({ value: String(d), label: d === 0 ? t('tokens.never') : t('tokens.days', { count: d }) }))} />
          </Group>
          <Checkbox.Group label={t('tokens.scopes')} value={chosen} onChange={setChosen}>
            <Stack gap={6} mt={6}>
              {scopes.map((s) => <Checkbox key={s} value={s} label={<>{t(scopeText(s))} <Code>{s}</Code></>} />)}
            </Stack>
          </Checkbox.Group>
          {make.error && <Refusal error={make.error} />}
          <div><Button type="submit" loading={make.isPending} leftSection={<IconPlus size={16} aria-hidden />}>{t('tokens.create')}</Button></div>
          <div role="status">
            {make.data && (
              <Alert variant="light" color="green" icon={<IconInfoCircle size={18} aria-hidden />} title={t('tokens.made', { name: make.data.token.name })} styles={{ title: { color: 'var(--mantine-color-text)' } }}>
                <Stack gap="xs" align="flex-start">
                  <Text size="sm">{t('tokens.once')}</Text>
                  <Code className={classes.breakable}>{make.data.secret}</Code>
                  <CopyButton value={make.data.secret}>{({ copied, copy }) => <Button size="compact-sm" variant="default" onClick={copy}>{t(copied ? 'proof.copied' : 'tenants.copy')}</Button>}</CopyButton>
                </Stack>
              </Alert>
            )}
          </div>
        </Stack>
      </form>
    </Section>
  );
}

function Revoke({ token, close }: { token: Token; close: () => void }) {
  const { t } = useTranslation();
  const revoke = useMutation({
    mutationFn: () => ask(revokeToken({ path: { id: token.id } })),
    onSuccess: () => {
      again();
      close();
    },
  });
  return (
    <Modal opened onClose={close} title={t('tokens.revoke', { name: token.name })} closeButtonProps={{ 'aria-label': t('app.close') }}>
      <Stack>
        <Text size="sm">{t('tokens.revokeHint')}</Text>
        {revoke.error && <FailureNote error={revoke.error} compact />}
        <Group justify="flex-end">
          <Button variant="default" onClick={close}>{t('tenants.cancel')}</Button>
          <Button color="red" loading={revoke.isPending} onClick={() => revoke.mutate()}>{t('tokens.revokeNow')}</Button>
        </Group>
      </Stack>
    </Modal>
  );
}
