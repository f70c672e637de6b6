import { Alert, Button, Group, NativeSelect, NumberInput, Paper, PasswordInput, Stack, Switch, Text, Textarea, TextInput } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { IconCircleCheck, IconTrash } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';

import { testAuthority, type SealingAuthority, type SealingFinding } from '../api';
import { ask, wrongFields } from '../failure';
import { formatDateTime, plain } from '../format';
import { FailureNote } from '../shell/Failure';
import type { Draft } from './AuthoritiesForm';
import classes from './Evidence.module.css';
import { settable } from './queries';
import { TroubleDetails } from './StampFacts';

const ways = ['none', 'basic', 'bearer', 'certificate'] as const;

type Props = { draft: Draft; number: number; change: (part: Partial<Draft>) => void; remove: () => void; wrongs: readonly string[] };

// AuthorityFields are the settings of one authority, with a button that tries them.
export function AuthorityFields({ draft, number, change, remove, wrongs }: Props) {
  const { t } = useTranslation();
  const a = draft.authority;
  const set = (part: Partial<SealingAuthority>) => change({ authority: { ...a, ...part } });
  const test = useMutation({
    mutationFn: () => ask<SealingFinding>(testAuthority({ body: { authority: settable(a), ...(draft.secret !== '' && { secret: draft.secret }) } })),
  });
  const all = [...wrongs, ...wrongFields(test.error).map((w) => w.replace(/^authority\./, ''))];
  const wrong = (field: string) => all.includes(field) && t(`evidence.wrong.${field as 'name'}`);
  return (
    <Paper withBorder p="md" radius="md" component="fieldset">
      <Group justify="space-between" mb="xs">
        <Text component="legend" size="sm" fw={600}>{number}. {plain(a.name) || t('evidence.newAuthority')}</Text>
        <Button size="xs" variant="subtle" color="gray" leftSection={<IconTrash size={16} aria-hidden />} onClick={remove} aria-label={t('evidence.removeFor', { name: plain(a.name) })}>{t('evidence.remove')}</Button>
      </Group>
      <Stack gap="md">
        <div className={classes.fields}>
          <TextInput label={t('evidence.name')} description={t('evidence.nameHint')} value={a.name} maxLength={100} onChange={(e) => set({ name: e.currentTarget.value })} error={wrong('name')} />
          <TextInput label={t('evidence.url')} description={t('evidence.urlHint')} value={a.url} maxLength={500} spellCheck={false} autoCapitalize="none" onChange={(e) => set({ url: e.currentTarget.value })} error={wrong('url')} />
          <NativeSelect label={t('evidence.auth')} value={a.auth} onChange={(e) => set({ auth: ways.find((w) => w === e.currentTarget.value) ?? 'none' })}
            data={ways.map((value) => ({ value, label: t(`evidence.authWays.${value}`) }))} />
          {a.auth === 'basic' && <TextInput label={t('evidence.user')} value={a.user ?? ''} maxLength={320} autoComplete="off" onChange={(e) => set({ user: e.currentTarget.value })} error={wrong('user')} />}
          {(a.auth === 'basic' || a.auth === 'bearer') && (
            <PasswordInput label={t(`evidence.secret.${a.auth}`)} value={draft.secret} autoComplete="new-password" {...(a.has_secret && { placeholder: t('evidence.secretSet') })}
              onChange={(e) => change({ secret: e.currentTarget.value })} error={wrong('secret')} />
          )}
        </div>
        {a.auth === 'certificate' && (
          <div className={classes.fields}>
            <Textarea label={t('evidence.certificate')} value={a.certificate ?? ''} minRows={2} autosize maxRows={6} spellCheck={false} onChange={(e) => set({ certificate: e.currentTarget.value })} error={wrong('certificate')} />
            <Textarea label={t('evidence.secret.certificate')} value={draft.secret} minRows={2} autosize maxRows={6} spellCheck={false} autoComplete="off" {...(a.has_secret && { placeholder: t('evidence.secretSet') })}
              onChange={(e) => change({ secret: e.currentTarget.value })} error={wrong('secret')} />
          </div>
        )}
        <Textarea label={t('evidence.ca')} description={t('evidence.caHint')} value={a.ca} minRows={2} autosize maxRows={6} spellCheck={false} onChange={(e) => set({ ca: e.currentTarget.value })} error={wrong('ca')} />
        <details>
          <summary><Text span size="sm">{t('evidence.advanced')}</Text></summary>
          <Stack gap="md" mt="sm">
            <div className={classes.fields}>
              <TextInput label={t('evidence.policyAsked')} value={a.policy ?? ''} maxLength={200} spellCheck={false} onChange={(e) => set({ policy: e.currentTarget.value })} error={wrong('policy')} />
              <NumberInput label={t('evidence.accuracy')} value={a.accuracy ?? 0} min={0} onChange={(v) => set({ accuracy: typeof v === 'number' ? v : 0 })} error={wrong('accuracy')} />
              <NumberInput label={t('evidence.pause')} value={a.pause ?? 0} min={0} max={3600} onChange={(v) => set({ pause: typeof v === 'number' ? v : 0 })} error={wrong('pause')} />
              <NumberInput label={t('evidence.quota')} description={t('evidence.quotaHint', { count: a.spent ?? 0 })} value={a.quota ?? 0} min={0} max={1_000_000_000} onChange={(v) => set({ quota: typeof v === 'number' ? v : 0 })} error={wrong('quota')} />
            </div>
            <Textarea label={t('evidence.serverCA')} value={a.server_ca ?? ''} minRows={2} autosize maxRows={6} spellCheck={false} onChange={(e) => set({ server_ca: e.currentTarget.value })} error={wrong('server_ca')} />
            <Switch label={t('evidence.local')} checked={a.local ?? false} onChange={(e) => set({ local: e.currentTarget.checked })} />
            <Switch label={t('evidence.disabled')} checked={a.disabled ?? false} onChange={(e) => set({ disabled: e.currentTarget.checked })} />
          </Stack>
        </details>
        <Group gap="xs"><Button size="xs" variant="default" loading={test.isPending} onClick={() => test.mutate()}>{t('evidence.test')}</Button><Text size="xs" c="dimmed">{t('evidence.testHint')}</Text></Group>
        {test.data && <Finding finding={test.data} />}
        {test.error && wrongFields(test.error).length === 0 && <FailureNote error={test.error} />}
      </Stack>
    </Paper>
  );
}

// Finding tells what came, and whether it is good for anything.
function Finding({ finding: f }: { finding: SealingFinding }) {
  const { t, i18n } = useTranslation();
  if (f.problem) {
    return <TroubleDetails problem={f.problem} />;
  }
  const at = (iso?: string) => (iso ? formatDateTime(iso, i18n.language) : '');
  const facts: [string, string][] = [
    [t('evidence.time'), at(f.time)], [t('evidence.signer'), plain(f.signer ?? '')], [t('evidence.issuer'), plain(f.issuer ?? '')],
    [t('evidence.until'), at(f.until)], [t('evidence.policy'), f.policy ?? ''],
  ];
  return (
    <div role="status" data-testid="trial">
      <Alert variant="light" color={f.test ? 'orange' : 'teal'} icon={<IconCircleCheck aria-hidden />} py={8} title={t(f.test ? 'evidence.testOkTest' : 'evidence.testOk')}>
        <Text size="sm">{t(f.test ? 'evidence.why.test' : `evidence.why.${f.qualified ?? 'unknown'}`)}</Text>
      </Alert>
      <dl className={classes.facts}>{facts.filter(([, v]) => v !== '').map(([n, v]) => <div key={n}><dt>{n}</dt><dd>{v}</dd></div>)}</dl>
      {(f.missing ?? []).length > 0 && <Text size="sm">{t('evidence.missing')}</Text>}
    </div>
  );
}
