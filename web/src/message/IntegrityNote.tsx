import { Alert, Button, Code, Stack, Text } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { IconAlertTriangle, IconShieldCheck } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';

import { underGrant } from '../access/grant';
import { checkMessage, type Integrity, type Message } from '../api';
import { ask } from '../failure';
import { formatDateTime, formatLongDateTime } from '../format';
import { queries } from '../queries';
import { FailureNote } from '../shell/Failure';
import { useAccount } from '../shell/usePage';
import classes from './MessagePane.module.css';

// IntegrityNote says in one sentence since when the message is stored and whether
// it is still what arrived; the check can be repeated at any time.
export function IntegrityNote({ message }: { message: Message }) {
  const { t, i18n } = useTranslation();
  const zone = useAccount().tenant?.zone;
  const check = useMutation({
    mutationFn: () => ask<Integrity>(checkMessage({ path: { id: message.id }, query: underGrant() })),
    onSuccess: (integrity) => {
      queries.setQueriesData<Message>({ queryKey: ['message', message.id] }, (old) => (old ? { ...old, integrity } : old));
    },
  });
  const { integrity } = message;
  const again = (
    <Button size="compact-xs" variant="subtle" loading={check.isPending} onClick={() => check.mutate()}>
      {t(check.isPending ? 'proof.checking' : 'proof.check')}
    </Button>
  );
  const checked = formatDateTime(integrity.checked_at, i18n.language, zone);
  if (!integrity.intact) {
    return (
      <Alert color="red.9" variant="filled" role="alert" icon={<IconAlertTriangle aria-hidden />} title={t('proof.broken')} data-testid="integrity">
        <Stack gap="xs" align="flex-start">
          <Text size="sm">{t('proof.brokenHint')}</Text>
          <Code className={classes.problem}>{[integrity.problem, message.id, checked].filter(Boolean).join('\n')}</Code>
          <Button size="xs" variant="white" color="red.9" loading={check.isPending} onClick={() => check.mutate()}>{t('proof.check')}</Button>
          {check.error && <FailureNote error={check.error} compact />}
        </Stack>
      </Alert>
    );
  }
  const since = formatDateTime(message.received_at, i18n.language, zone);
  return (
    <>
      <div className={classes.sealed} data-testid="integrity">
        <IconShieldCheck size={18} aria-hidden className={classes.seal} />
        <Text size="sm" className={classes.intact} role="status" title={formatLongDateTime(message.received_at, i18n.language, zone)}>
          {t('proof.intact', { since, when: sinceWhen(integrity.checked_at, t('proof.justNow'), checked) })}
        </Text>
        {again}
      </div>
      {check.error && <FailureNote error={check.error} compact />}
    </>
  );
}

// sinceWhen calls a check of the last two minutes a fresh one.
function sinceWhen(iso: string, now: string, date: string): string {
  return Math.abs(Date.now() - new Date(iso).getTime()) < 120_000 ? now : date;
}
