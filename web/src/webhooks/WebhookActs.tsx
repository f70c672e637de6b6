import { Alert, Button, Group, Modal, Stack, Text } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { IconAlertTriangle, IconCircleCheck } from '@tabler/icons-react';
import { useState, type FormEvent } from 'react';
import { useTranslation } from 'react-i18next';

import { changeWebhook, deleteWebhook, newWebhookSecret, testWebhook, type Webhook, type WebhookFinding } from '../api';
import { ask } from '../failure';
import { FailureNote } from '../shell/Failure';
import { Refusal } from '../tenants/Parts';
import classes from '../tenants/Tenants.module.css';
import { Deliveries } from './Deliveries';
import { Fields } from './Fields';
import { Secret } from './NewWebhook';
import { webhooksAgain } from './queries';

type Dialog = 'edit' | 'secret' | 'remove' | 'deliveries';

// WebhookActs are what can be done with a webhook.
export function WebhookActs({ hook, kinds }: { hook: Webhook; kinds: readonly string[] }) {
  const { t } = useTranslation();
  const [dialog, setDialog] = useState<Dialog>();
  const test = useMutation({ mutationFn: () => ask(testWebhook({ path: { id: hook.id } })) });
  const turn = useMutation({ mutationFn: () => ask(changeWebhook({ path: { id: hook.id }, body: { off: !hook.off } })), onSuccess: webhooksAgain });
  const close = () => setDialog(undefined);
  return (
    <>
      <Group gap="xs">
        <Button size="xs" variant="default" loading={test.isPending} onClick={() => test.mutate()}>{t('webhooks.test')}</Button>
        <Button size="xs" variant="default" onClick={() => setDialog('deliveries')}>{t('webhooks.deliveries')}</Button>
        <Button size="xs" variant="default" onClick={() => setDialog('edit')}>{t('webhooks.edit')}</Button>
        <Button size="xs" variant="default" onClick={() => setDialog('secret')}>{t('webhooks.newSecret')}</Button>
        <Button size="xs" variant="default" loading={turn.isPending} onClick={() => turn.mutate()}>{t(hook.off ? 'webhooks.turnOn' : 'webhooks.turnOff')}</Button>
        <Button size="xs" variant="default" color="red" onClick={() => setDialog('remove')}>{t('webhooks.remove')}</Button>
      </Group>
      {turn.error && <Refusal error={turn.error} />}
      {test.error && <FailureNote error={test.error} compact />}
      <div role="status">{test.data && <Finding finding={test.data} />}</div>
      {dialog === 'deliveries' && <Deliveries hook={hook} close={close} />}
      {dialog === 'edit' && <Edit hook={hook} kinds={kinds} close={close} />}
      {dialog === 'secret' && <NewSecret hook={hook} close={close} />}
      {dialog === 'remove' && <Remove hook={hook} close={close} />}
    </>
  );
}

// Finding says what a test has found, and what to do.
function Finding({ finding: f }: { finding: WebhookFinding }) {
  const { t } = useTranslation();
  if (f.ok) {
    return <Alert variant="light" color="teal" py={8} icon={<IconCircleCheck aria-hidden />}><Text size="sm">{t('webhooks.testOk', { status: f.status, time: f.took_ms })}</Text></Alert>;
  }
  return (
    <Alert variant="light" color="red" py={8} icon={<IconAlertTriangle aria-hidden />}>
      <Text size="sm">{t(`webhooks.problem.${f.problem?.code ?? 'internal'}`)}</Text>
      {f.problem?.detail && <Text size="xs" c="dimmed" className={classes.breakable}>{f.problem.detail}</Text>}
      {f.answer && <Text size="xs" c="dimmed" className={classes.breakable}>{t('webhooks.answer', { text: f.answer })}</Text>}
    </Alert>
  );
}

function Edit({ hook, kinds, close }: { hook: Webhook; kinds: readonly string[]; close: () => void }) {
  const { t } = useTranslation();
  const [draft, setDraft] = useState({ url: hook.url, description: hook.description, kinds: hook.kinds });
  const save = useMutation({
    mutationFn: () => ask(changeWebhook({ path: { id: hook.id }, body: draft })),
    onSuccess: () => {
      webhooksAgain();
      close();
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    save.mutate();
  };
  return (
    <Modal opened onClose={close} title={t('webhooks.edit')} size="lg" closeButtonProps={{ 'aria-label': t('app.close') }}>
      <form onSubmit={submit} autoComplete="off">
        <Stack>
          <Fields draft={draft} change={(part) => setDraft({ ...draft, ...part })} kinds={kinds} />
          {save.error && <Refusal error={save.error} />}
          <Group justify="flex-end">
            <Button variant="default" onClick={close}>{t('tenants.cancel')}</Button>
            <Button type="submit" loading={save.isPending}>{t('webhooks.save')}</Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}

function NewSecret({ hook, close }: { hook: Webhook; close: () => void }) {
  const { t } = useTranslation();
  const make = useMutation({ mutationFn: () => ask(newWebhookSecret({ path: { id: hook.id } })), onSuccess: webhooksAgain });
  return (
    <Modal opened onClose={close} title={t('webhooks.newSecret')} closeButtonProps={{ 'aria-label': t('app.close') }}>
      <Stack>
        <Text size="sm">{t('webhooks.newSecretHint')}</Text>
        {make.error && <FailureNote error={make.error} compact />}
        <div role="status">{make.data && <Secret title={t('webhooks.secretMade')} secret={make.data.secret} />}</div>
        <Group justify="flex-end">
          <Button variant="default" onClick={close}>{t(make.data ? 'app.close' : 'tenants.cancel')}</Button>
          {!make.data && <Button loading={make.isPending} onClick={() => make.mutate()}>{t('webhooks.newSecret')}</Button>}
        </Group>
      </Stack>
    </Modal>
  );
}

function Remove({ hook, close }: { hook: Webhook; close: () => void }) {
  const { t } = useTranslation();
  const remove = useMutation({
    mutationFn: () => ask(deleteWebhook({ path: { id: hook.id } })),
    onSuccess: () => {
      webhooksAgain();
      close();
    },
  });
  return (
    <Modal opened onClose={close} title={t('webhooks.remove')} closeButtonProps={{ 'aria-label': t('app.close') }}>
      <Stack>
        <Text size="sm" className={classes.breakable}>{t('webhooks.removeHint', { url: hook.url })}</Text>
        {remove.error && <FailureNote error={remove.error} compact />}
        <Group justify="flex-end">
          <Button variant="default" onClick={close}>{t('tenants.cancel')}</Button>
          <Button color="red" loading={remove.isPending} onClick={() => remove.mutate()}>{t('webhooks.remove')}</Button>
        </Group>
      </Stack>
    </Modal>
  );
}
