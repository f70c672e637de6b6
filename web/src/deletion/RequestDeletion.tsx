import { Alert, Button, Group, Modal, Stack, Text, Textarea, TextInput } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState, type FormEvent } from 'react';
import { useTranslation } from 'react-i18next';

import { settled } from '../access/queries';
import { requestDeletion, type AccessRequest } from '../api';
import { ask } from '../failure';
import { formatForField } from '../format';
import { numbers } from './queries';
import { Refused } from './Refused';

const week = 7 * 24 * 60 * 60 * 1000;

// DeletionForm asks that messages are deleted: those given, or those whose numbers are
// typed.
export function DeletionForm({ ids, cancel }: { ids?: readonly string[]; cancel?: () => void }) {
  const { t } = useTranslation();
  const [typed, setTyped] = useState('');
  const [reason, setReason] = useState('');
  const [until, setUntil] = useState(() => formatForField(new Date(Date.now() + week)));
  const messages = ids ?? numbers(typed);
  const send = useMutation({
    mutationFn: () => {
      const end = new Date(until);
      return ask<AccessRequest>(requestDeletion({ body: { messages: [...messages], ...(reason.trim() && { reason }), until: Number.isNaN(end.getTime()) ? '' : end.toISOString() } }));
    },
    onSuccess: () => {
      setTyped('');
      setReason('');
      settled();
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    send.mutate();
  };
  if (send.isSuccess && ids) {
    return (
      <Stack gap="sm">
        <Text size="sm" role="status">{t('deletion.sent')}</Text>
        <Group><Button variant="default" renderRoot={(props) => <Link to="/access" {...props} />}>{t('deletion.toRequests')}</Button></Group>
      </Stack>
    );
  }
  return (
    <form onSubmit={submit} noValidate>
      <Stack gap="md">
        <Text size="sm" c="dimmed">{t('deletion.intro')}</Text>
        {ids ? <Text size="sm" fw={600}>{t('deletion.of', { count: ids.length })}</Text> : (
          <Textarea label={t('deletion.numbers')} description={t('deletion.numbersHint')} required autosize minRows={2} maxRows={8} value={typed} onChange={(e) => setTyped(e.currentTarget.value)} />
        )}
        <Textarea label={t('deletion.reason')} description={t('deletion.reasonHint')} autosize minRows={2} maxRows={8} value={reason} maxLength={2000} onChange={(e) => setReason(e.currentTarget.value)} />
        <TextInput type="datetime-local" label={t('deletion.until')} description={t('deletion.untilHint')} required value={until} onChange={(e) => setUntil(e.currentTarget.value)} maw={320} />
        {send.isSuccess && <Alert color="green" variant="light" role="status">{t('deletion.sent')}</Alert>}
        {send.error && <Refused error={send.error} one={ids?.length === 1} />}
        <Group>
          <Button type="submit" loading={send.isPending} disabled={messages.length === 0}>{t('access.send')}</Button>
          {cancel && <Button variant="default" onClick={cancel}>{t('deletion.no')}</Button>}
        </Group>
      </Stack>
    </form>
  );
}

// DeletionDialogue is the form in a dialogue.
export function DeletionDialogue({ ids, close }: { ids: readonly string[]; close: () => void }) {
  const { t } = useTranslation();
  return (
    <Modal opened onClose={close} title={t('deletion.ask')} closeButtonProps={{ 'aria-label': t('app.close') }}>
      <DeletionForm ids={ids} cancel={close} />
    </Modal>
  );
}
