import { Button, Group, Modal, Text, VisuallyHidden } from '@mantine/core';
import { useMutation, useQuery } from '@tanstack/react-query';
import { IconAlertTriangle, IconCircleCheck, IconClock, IconRefresh, IconTrash, type Icon } from '@tabler/icons-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';

import { dropMail, retryMail, type OutboxMail } from '../api';
import { ask } from '../failure';
import { formatDateTime, formatNumber, formatSize, plain } from '../format';
import { outboxQuery, queries } from '../queries';
import { FailureNote } from '../shell/Failure';
import { refreshEvery } from './draft';
import { SendingTrouble } from './Finding';
import { Section } from './SmarthostPage';
import classes from './Smarthost.module.css';

const icons: Record<OutboxMail['state'], Icon> = { waiting: IconClock, sent: IconCircleCheck, failed: IconAlertTriangle };

// MailQueue shows what waits to be sent and what became of the rest.
export function MailQueue() {
  const { t, i18n } = useTranslation();
  const outbox = useQuery({ ...outboxQuery, refetchInterval: (query) => refreshEvery(query.state.data?.mails ?? []) });
  const again = () => queries.invalidateQueries({ queryKey: outboxQuery.queryKey });
  const retry = useMutation({ mutationFn: (id: string) => ask(retryMail({ path: { id } })), onSettled: again });
  const drop = useMutation({ mutationFn: (id: string) => ask(dropMail({ path: { id } })), onSettled: again });
  const [dropping, setDropping] = useState<OutboxMail>();
  const o = outbox.data;
  const number = (n: number) => formatNumber(n, i18n.language);
  return (
    <Section id="queue" title={t('smarthost.queue')}>
      {o && <Text size="sm" c="dimmed">{t('smarthost.counts', { waiting: number(o.waiting), failed: number(o.failed), sent: number(o.sent) })}</Text>}
      {outbox.error && <FailureNote error={outbox.error} retry={() => void outbox.refetch()} />}
      {(retry.error ?? drop.error) && <FailureNote error={retry.error ?? drop.error} />}
      <VisuallyHidden role="status">{retry.isSuccess ? t('smarthost.retried') : ''}</VisuallyHidden>
      {o?.mails.length === 0 && <Text size="sm">{t('smarthost.queueEmpty')}</Text>}
      {o && o.mails.length > 0 && (
        <ul className={classes.mails}>
          {o.mails.map((m) => (
            <Mail key={m.id} mail={m} retry={() => retry.mutate(m.id)} retrying={retry.isPending && retry.variables === m.id} drop={() => setDropping(m)} />
          ))}
        </ul>
      )}
      <Modal opened={dropping !== undefined} onClose={() => setDropping(undefined)} title={t('smarthost.dropTitle')} closeButtonProps={{ 'aria-label': t('app.close') }}>
        <Text size="sm">{t(dropping?.state === 'waiting' ? 'smarthost.dropWaiting' : 'smarthost.dropEnded', { to: peopleOf(dropping) })}</Text>
        <Group mt="md" justify="flex-end">
          <Button variant="default" onClick={() => setDropping(undefined)}>{t('smarthost.cancel')}</Button>
          <Button color="red" onClick={() => { if (dropping) drop.mutate(dropping.id); setDropping(undefined); }}>{t('smarthost.drop')}</Button>
        </Group>
      </Modal>
    </Section>
  );
}

const peopleOf = (m?: OutboxMail): string => plain((m?.recipients ?? []).map((r) => r.address).join(', '));

type MailProps = { mail: OutboxMail; retry: () => void; retrying: boolean; drop: () => void };

function Mail({ mail: m, retry, retrying, drop }: MailProps) {
  const { t, i18n } = useTranslation();
  const Sign = icons[m.state];
  const when = (iso: string) => formatDateTime(iso, i18n.language);
  const to = peopleOf(m);
  const about = [
    m.kind, formatSize(m.size, i18n.language), t('smarthost.created', { date: when(m.created_at) }),
    m.attempts > 0 && t('smarthost.attempts', { count: m.attempts }),
    m.state === 'waiting' && m.next_at && t('smarthost.next', { date: when(m.next_at) }),
    m.state !== 'waiting' && m.ended_at && t(m.state === 'sent' ? 'smarthost.sentAt' : 'smarthost.givenUpAt', { date: when(m.ended_at) }),
  ].filter(Boolean).join(' · ');
  return (
    <li>
      <Group justify="space-between" align="flex-start" gap="xs">
        <div>
          <span className={classes.sign} data-state={m.state}><Sign size={18} aria-hidden />{t(`smarthost.state.${m.state}`)}</span>
          <Text size="sm" fw={600} className={classes.breakable}>{to}</Text>
          <Text size="xs" c="dimmed" className={classes.breakable}>{plain(about)}</Text>
        </div>
        <Group gap="xs">
          {m.state !== 'sent' && (
            <Button size="xs" variant="default" leftSection={<IconRefresh size={16} aria-hidden />} loading={retrying} onClick={retry} aria-label={t('smarthost.retryFor', { to })}>
              {t('smarthost.retry')}
            </Button>
          )}
          <Button size="xs" variant="default" leftSection={<IconTrash size={16} aria-hidden />} onClick={drop} aria-label={t('smarthost.dropFor', { to })}>{t('smarthost.drop')}</Button>
        </Group>
      </Group>
      {m.problem && m.state !== 'sent' && <SendingTrouble problem={m.problem} />}
      {m.state !== 'sent' && m.recipients.length > 1 && (
        <Text size="xs" c="dimmed" mt={4} className={classes.breakable}>
          {m.recipients.map((r) => `${plain(r.address)}: ${t(`smarthost.state.${r.state}`)}`).join(' · ')}
        </Text>
      )}
    </li>
  );
}
