import { Badge, Button, Code, Group, Modal, Paper, Stack, Text } from '@mantine/core';
import { useMutation, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';

import { sendAgain, type Delivery, type Webhook } from '../api';
import { ask } from '../failure';
import { formatDateTime } from '../format';
import { FailureNote } from '../shell/Failure';
import { Refusal } from '../tenants/Parts';
import classes from '../tenants/Tenants.module.css';
import { useAccount } from '../shell/usePage';
import { deliveriesQuery } from './queries';

// Deliveries lists what a webhook was told of, and what it answered.
export function Deliveries({ hook, close }: { hook: Webhook; close: () => void }) {
  const { t } = useTranslation();
  const deliveries = useQuery(deliveriesQuery(hook.id));
  const list = deliveries.data?.deliveries;
  return (
    <Modal opened onClose={close} title={t('webhooks.deliveries')} size="xl" closeButtonProps={{ 'aria-label': t('app.close') }}>
      <Stack>
        {deliveries.error && <FailureNote error={deliveries.error} retry={() => void deliveries.refetch()} compact />}
        {list?.length === 0 && <Text size="sm">{t('webhooks.noDeliveries')}</Text>}
        {list?.map((d) => <One key={d.id} delivery={d} hook={hook} again={() => void deliveries.refetch()} />)}
      </Stack>
    </Modal>
  );
}

const colours = { waiting: 'orange', sent: 'teal', failed: 'red' } as const;

function One({ delivery: d, hook, again }: { delivery: Delivery; hook: Webhook; again: () => void }) {
  const { t, i18n } = useTranslation();
  const zone = useAccount().tenant?.zone;
  const [open, setOpen] = useState(false);
  const send = useMutation({ mutationFn: () => ask(sendAgain({ path: { id: hook.id, delivery: d.id } })), onSuccess: again });
  const at = (time: string) => formatDateTime(time, i18n.language, zone);
  return (
    <Paper withBorder p="sm" radius="md">
      <Stack gap={4}>
        <Group justify="space-between" wrap="nowrap" align="flex-start">
          <Text size="sm" fw={600}>{t(`webhooks.kind.${d.kind.replace('.', '-') as 'tenant-created'}`)}</Text>
          <Badge variant="light" radius="sm" tt="none" color={colours[d.state]} miw="max-content" styles={{ label: { color: 'var(--mantine-color-text)' } }}>{t(`webhooks.delivery.${d.state}`)}</Badge>
        </Group>
        <Text size="xs" c="dimmed">
          {at(d.created_at)} · {t('webhooks.attempts', { count: d.attempts })}
          {d.status !== undefined && ` · HTTP ${d.status}`}
          {d.next_at && d.attempts > 0 && ` · ${t('webhooks.nextAt', { time: at(d.next_at) })}`}
        </Text>
        {d.problem && d.state !== 'sent' && <Text size="sm">{t(`webhooks.problem.${d.problem.code}`)}</Text>}
        {d.answer && <Text size="xs" c="dimmed" className={classes.breakable}>{t('webhooks.answer', { text: d.answer })}</Text>}
        <Group gap="xs">
          <Button size="compact-xs" variant="subtle" aria-expanded={open} onClick={() => setOpen(!open)}>{t(open ? 'webhooks.hideBody' : 'webhooks.showBody')}</Button>
          <Button size="compact-xs" variant="subtle" loading={send.isPending} onClick={() => send.mutate()}>{t('webhooks.again')}</Button>
        </Group>
        {send.error && <Refusal error={send.error} />}
        {open && <><Text size="xs" className={classes.breakable}>webhook-id: {d.id}</Text><Code block className={classes.text}>{JSON.stringify(JSON.parse(d.body), null, 2)}</Code></>}
      </Stack>
    </Paper>
  );
}
