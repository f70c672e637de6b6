import { ActionIcon, Button, Code, CopyButton, Group, Text, Tooltip } from '@mantine/core';
import { IconAlertTriangle, IconCheck, IconCircleCheck, IconClock, IconCopy, IconInbox, IconPlayerPause, IconRefresh, IconUpload, type Icon } from '@tabler/icons-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';

import type { MailboxProblem } from '../api';
import { plain } from '../format';
import { cureOf } from './cure';
import type { Health } from './health';
import classes from './Sources.module.css';

const icons: Record<Health, Icon> = {
  ok: IconCircleCheck, working: IconRefresh, problem: IconAlertTriangle, never: IconClock, disabled: IconPlayerPause, ready: IconInbox, done: IconUpload,
};

// HealthSign tells by sign, colour and word how a source fares.
export function HealthSign({ health }: { health: Health }) {
  const { t } = useTranslation();
  const Sign = icons[health];
  return <span className={classes.sign} data-health={health}><Sign size={18} aria-hidden />{t(`sources.health.${health}`)}</span>;
}

// ProblemNote says what is wrong and what to do; what the server has said is one
// click away and can be copied. What was only tested is not tried again by itself.
export function ProblemNote({ problem, since, tested = false }: { problem: MailboxProblem; since?: string; tested?: boolean }) {
  const { t } = useTranslation();
  const [open, setOpen] = useState(false);
  const detail = plain([problem.code, problem.text, problem.detail].filter(Boolean).join('\n'));
  return (
    <div className={classes.trouble}>
      <Text size="sm" fw={600}>{t(`sources.problem.${problem.code}`)}</Text>
      <Text size="sm">{t(cureOf(problem.code, tested))}</Text>
      {since && <Text size="xs" c="dimmed" mt={2}>{t('sources.since', { date: since })}</Text>}
      <Group gap={4} mt={4} ml={-8}>
        <Button variant="subtle" color="gray" size="compact-xs" aria-expanded={open} onClick={() => setOpen(!open)}>{t(open ? 'sources.hideDetails' : 'sources.details')}</Button>
        {open && <Copy value={detail} label={t('sources.copyDetails')} />}
      </Group>
      {open && <Code className={classes.detail}>{detail}</Code>}
    </div>
  );
}

export function Copy({ value, label }: { value: string; label: string }) {
  const { t } = useTranslation();
  return (
    <CopyButton value={value}>
      {({ copied, copy }) => (
        <Tooltip label={copied ? t('sources.copied') : label}>
          <ActionIcon variant="subtle" color="gray" size="sm" aria-label={label} onClick={copy}>
            {copied ? <IconCheck size={16} aria-hidden /> : <IconCopy size={16} aria-hidden />}
          </ActionIcon>
        </Tooltip>
      )}
    </CopyButton>
  );
}

export function JournalAddress({ address }: { address: string }) {
  const { t } = useTranslation();
  return (
    <Group gap={4} wrap="nowrap">
      <Text size="xs" c="dimmed">{t('sources.address')}:</Text>
      <Code className={classes.address}>{address}</Code>
      <Copy value={address} label={t('sources.copyAddress')} />
    </Group>
  );
}
