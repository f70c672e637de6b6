import { ActionIcon, Badge, Code, CopyButton, Group, List, Stack, Text, Title, Tooltip } from '@mantine/core';
import { IconCheck, IconCopy } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';

import type { Capture, Message } from '../api';
import { formatDateTime, formatNumber, formatSize } from '../format';
import { useFiling } from '../history/FilingText';
import { MessageRetention } from '../retention/MessageRetention';
import { useClassName } from '../retention/Scope';
import { useAccount } from '../shell/usePage';
import { JournalRecordNote } from './JournalRecordNote';
import classes from './MessagePane.module.css';

// Details answers where the message came from, why the reader may see it and under
// which names it can be found again.
export function Details({ message }: { message: Message }) {
  const className = useClassName();
  const { t, i18n } = useTranslation();
  const bytes = message.size === 0 ? '' : `${formatSize(message.size, i18n.language)} (${formatNumber(message.size, i18n.language)} B)`;
  return (
    <Stack gap="lg">
      <section aria-labelledby="why">
        <Title order={3} size="h5" id="why" mb={4}>{t('proof.why')}</Title>
        <Text size="sm">{message.why.length > 0 ? t('proof.whyText', { count: message.why.length }) : t('proof.whyRole')}</Text>
        {message.why.length > 0 && <List size="sm" mt={4}>{message.why.map((a) => <List.Item key={a}><Code>{a}</Code></List.Item>)}</List>}
      </section>
      <MessageRetention message={message} />
      <section aria-labelledby="captures">
        <Title order={3} size="h5" id="captures" mb={4}>{t('proof.captures')}</Title>
        <Stack gap="sm">{message.captures.map((c, i) => <Arrival key={c.id || i} message={message.id} capture={c} />)}</Stack>
      </section>
      <section aria-labelledby="identifiers">
        <Title order={3} size="h5" id="identifiers" mb={4}>{t('proof.identifiers')}</Title>
        <dl className={classes.facts}>
          <Fact name={t('proof.archiveId')} value={message.id} copy />
          <Fact name={t('proof.messageId')} value={message.message_id} copy />
          <Fact name={t('proof.sha256')} value={message.sha256} copy />
          <Fact name={t('proof.size')} value={bytes} />
          <Fact name={t('proof.class')} value={className(message.class)} />
          <Fact name={t('proof.category')} value={message.category} />
          <Fact name={t('proof.tags')} value={message.tags.join(', ')} />
        </dl>
      </section>
      {message.warnings.length > 0 && (
        <section aria-labelledby="warnings">
          <Title order={3} size="h5" id="warnings" mb={4}>{t('message.warnings', { count: message.warnings.length })}</Title>
          <Text size="sm" c="dimmed">{t('message.warningsHint')}</Text>
          <List size="sm" mt={4}>{message.warnings.map((w) => <List.Item key={w} className={classes.breakable}>{w}</List.Item>)}</List>
        </section>
      )}
    </Stack>
  );
}

function Arrival({ message, capture }: { message: string; capture: Capture }) {
  const { t, i18n } = useTranslation();
  const zone = useAccount().tenant?.zone;
  const kind = capture.kind === 'journal' || capture.kind === 'import' || capture.kind === 'mailbox' || capture.kind === 'milter' || capture.kind === 'folder' || capture.kind === 'upload' ? t(`proof.kind.${capture.kind}`) : capture.kind;
  const filing = useFiling();
  const enveloped = capture.envelope_from !== '' || capture.envelope_to.length > 0;
  return (
    <div className={classes.arrival}>
      <Group gap="xs" mb={2}>
        <Text size="sm" fw={600}>{t('proof.capture', { source: capture.source, date: formatDateTime(capture.received_at, i18n.language, zone) })}</Text>
        <Badge variant="light" color="gray" radius="sm" tt="none" classNames={{ label: classes.kind }}>{kind}</Badge>
      </Group>
      <dl className={classes.facts}>
        {enveloped && <Fact name={t('proof.envelopeFrom')} value={capture.envelope_from || t('proof.emptyEnvelope')} />}
        <Fact name={t('proof.envelopeTo')} value={capture.envelope_to.join(', ')} />
        <Fact name={t('routing.hintFrom')} value={(capture.hint_from ?? []).join(', ')} />
        <Fact name={t('routing.hintTo')} value={(capture.hint_to ?? []).join(', ')} />
        <Fact name={t('proof.peer')} value={capture.peer} />
        <Fact name={t('proof.origin')} value={capture.origin} />
        <Fact name={t('history.filing')} value={filing(capture.filing)} />
      </dl>
      {capture.from_headers && <Text size="sm" c="dimmed">{t(capture.google_workspace ? 'routing.fromHeadersGoogle' : 'routing.fromHeaders')}</Text>}
      {capture.journal && <JournalRecordNote message={message} capture={capture.id} journal={capture.journal} />}
    </div>
  );
}

function Fact({ name, value, copy }: { name: string; value: string; copy?: boolean }) {
  const { t } = useTranslation();
  if (value === '') {
    return null;
  }
  return (
    <div className={classes.fact}>
      <dt>{name}</dt>
      <dd className={copy ? classes.code : undefined}>
        {value}
        {copy && (
          <CopyButton value={value}>
            {({ copied, copy: act }) => (
              <Tooltip label={copied ? t('proof.copied') : t('proof.copy', { what: name })}>
                <ActionIcon variant="subtle" color="gray" size="sm" ml={4} onClick={act} aria-label={t('proof.copy', { what: name })}>
                  {copied ? <IconCheck size={14} aria-hidden /> : <IconCopy size={14} aria-hidden />}
                </ActionIcon>
              </Tooltip>
            )}
          </CopyButton>
        )}
      </dd>
    </div>
  );
}
