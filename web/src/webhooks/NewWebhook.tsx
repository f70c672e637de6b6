import { Alert, Button, Code, CopyButton, Stack, Text } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { IconInfoCircle, IconPlus } from '@tabler/icons-react';
import { useState, type FormEvent } from 'react';
import { useTranslation } from 'react-i18next';

import { createWebhook } from '../api';
import { ask } from '../failure';
import { Refusal, Section } from '../tenants/Parts';
import classes from '../tenants/Tenants.module.css';
import { Fields, type Draft } from './Fields';
import { webhooksAgain } from './queries';

const nothing: Draft = { url: '', description: '', kinds: [] };

// NewWebhook makes a webhook and shows its secret, this once.
export function NewWebhook({ kinds }: { kinds: readonly string[] }) {
  const { t } = useTranslation();
  const [draft, setDraft] = useState(nothing);
  const make = useMutation({
    mutationFn: () => ask(createWebhook({ body: draft })),
    onSuccess: () => {
      setDraft(nothing);
      webhooksAgain();
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    make.mutate();
  };
  return (
    <Section id="new" title={t('webhooks.new')}>
      <form onSubmit={submit} autoComplete="off">
        <Stack gap="md">
          <Fields draft={draft} change={(part) => setDraft({ ...draft, ...part })} kinds={kinds} />
          {make.error && <Refusal error={make.error} />}
          <div><Button type="submit" loading={make.isPending} leftSection={<IconPlus size={16} aria-hidden />}>{t('webhooks.create')}</Button></div>
          <div role="status">{make.data && <Secret title={t('webhooks.made')} secret={make.data.secret} />}</div>
        </Stack>
      </form>
    </Section>
  );
}

// Secret shows a secret that is never shown again.
export function Secret({ title, secret }: { title: string; secret: string }) {
  const { t } = useTranslation();
  return (
    <Alert variant="light" color="green" icon={<IconInfoCircle size={18} aria-hidden />} title={title} styles={{ title: { color: 'var(--mantine-color-text)' } }}>
      <Stack gap="xs" align="flex-start">
        <Text size="sm">{t('webhooks.once')}</Text>
        <Code className={classes.breakable}>{secret}</Code>
        <CopyButton value={secret}>{({ copied, copy }) => <Button size="compact-sm" variant="default" onClick={copy}>{t(copied ? 'proof.copied' : 'tenants.copy')}</Button>}</CopyButton>
      </Stack>
    </Alert>
  );
}
