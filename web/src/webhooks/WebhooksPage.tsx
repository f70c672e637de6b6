import { Badge, Group, Paper, Stack, Text, Title } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';

import type { Webhook } from '../api';
import { formatDateTime } from '../format';
import { FailureNote } from '../shell/Failure';
import { Titled } from '../shell/ManualLink';
import { useAccount, useTitle } from '../shell/usePage';
import classes from '../tenants/Tenants.module.css';
import { NewWebhook } from './NewWebhook';
import { webhooksQuery } from './queries';
import { WebhookActs } from './WebhookActs';

// WebhooksPage lists the programs that are told of events.
export function WebhooksPage() {
  const { t } = useTranslation();
  useTitle(t('webhooks.title'));
  const { role } = useAccount();
  const allowed = role === 'operator' || role === 'reseller' || role === 'tenant-admin';
  const hooks = useQuery({ ...webhooksQuery, enabled: allowed, refetchInterval: 15_000 });
  return (
    <main className={classes.narrow}>
      <Titled><Title order={1} size="h2" mb="sm">{t('webhooks.title')}</Title></Titled>
      {!allowed && <Text role="alert">{t('webhooks.forbidden')}</Text>}
      {allowed && <Text size="sm" c="dimmed" mb="lg">{t('webhooks.intro')}</Text>}
      <Stack gap="lg">
        {hooks.error && <FailureNote error={hooks.error} retry={() => void hooks.refetch()} />}
        {hooks.data?.webhooks.map((w) => <One key={w.id} hook={w} kinds={hooks.data.kinds} />)}
        {hooks.data && <NewWebhook kinds={hooks.data.kinds} />}
      </Stack>
    </main>
  );
}

function One({ hook, kinds }: { hook: Webhook; kinds: readonly string[] }) {
  const { t, i18n } = useTranslation();
  const zone = useAccount().tenant?.zone;
  const at = (time: string) => formatDateTime(time, i18n.language, zone);
  return (
    <Paper withBorder p="lg" radius="md" component="section" aria-label={hook.description || hook.url} className={classes.panel}>
      <Stack gap="xs">
        <Group justify="space-between" align="flex-start" wrap="nowrap">
          <div>
            {hook.description && <Text className={classes.name}>{hook.description}</Text>}
            <Text size="sm" className={classes.breakable}>{hook.url}</Text>
          </div>
          <State hook={hook} />
        </Group>
        <Text size="xs" c="dimmed">{hook.kinds.map((k) => t(`webhooks.kind.${k.replace('.', '-') as 'tenant-created'}`)).join(' · ')}</Text>
        {hook.off_by && <Text size="sm" role="alert" c="var(--m-bad)">{t(hook.off_by === 'gone' ? 'webhooks.offGone' : 'webhooks.offFailing')}</Text>}
        {!hook.off && hook.failing_since && <Text size="sm" role="alert" c="var(--m-bad)">{t('webhooks.failingSince', { time: at(hook.failing_since) })}</Text>}
        <Text size="sm">
          {hook.ok_at ? t('webhooks.okAt', { time: at(hook.ok_at) }) : t('webhooks.never')}
          {hook.waiting > 0 && ` ${t('webhooks.waiting', { count: hook.waiting })}`}
        </Text>
        {hook.old_secret_until && <Text size="sm">{t('webhooks.oldUntil', { time: at(hook.old_secret_until) })}</Text>}
        <WebhookActs hook={hook} kinds={kinds} />
      </Stack>
    </Paper>
  );
}

function State({ hook }: { hook: Webhook }) {
  const { t } = useTranslation();
  const state = hook.off ? 'off' : hook.failing_since ? 'failing' : 'on';
  const colour = { on: 'teal', failing: 'red', off: 'gray' }[state];
  return <Badge variant="light" radius="sm" tt="none" color={colour} miw="max-content" styles={{ label: { color: 'var(--mantine-color-text)' } }}>{t(`webhooks.state.${state}`)}</Badge>;
}
