import { Alert, Button, Collapse, Group, Stack, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { IconCertificate, IconClock, IconDownload, IconFlask } from '@tabler/icons-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';

import type { MessageEvidence } from '../api';
import { formatDateTime, plain } from '../format';
import { FailureNote } from '../shell/Failure';
import { useAccount } from '../shell/usePage';
import classes from './Evidence.module.css';
import { bundleAddress, inspectionAddress, messageEvidenceQuery, recordAddress } from './queries';
import { StampFacts, TroubleDetails } from './StampFacts';

// SealNote says in one sentence since when the message can be proven; what stands
// behind it is one click away.
export function SealNote({ id }: { id: string }) {
  const { t } = useTranslation();
  const evidence = useQuery(messageEvidenceQuery(id));
  const [open, setOpen] = useState(false);
  if (evidence.error) {
    return <FailureNote error={evidence.error} retry={() => void evidence.refetch()} compact />;
  }
  if (!evidence.data) {
    return null;
  }
  const test = evidence.data.stamps.some((s) => s.test);
  const Sign = evidence.data.state !== 'stamped' ? IconClock : test ? IconFlask : IconCertificate;
  return (
    <div data-testid="seal">
      <div className={classes.line}>
        <Sign size={18} aria-hidden className={classes.sign} data-state={test ? 'test' : evidence.data.state} />
        <Text size="sm" role="status" className={classes.sentence}><Sentence evidence={evidence.data} /></Text>
        <Button size="compact-xs" variant="subtle" aria-expanded={open} onClick={() => setOpen(!open)}>{t(open ? 'evidence.less' : 'evidence.more')}</Button>
      </div>
      <Collapse expanded={open} keepMounted={false}><Behind id={id} evidence={evidence.data} /></Collapse>
    </div>
  );
}

function Sentence({ evidence }: { evidence: MessageEvidence }) {
  const { t, i18n } = useTranslation();
  const zone = useAccount().tenant?.zone;
  const first = evidence.stamps[0];
  const renewed = evidence.stamps.length > 1 ? ` ${t('evidence.renewed', { count: evidence.stamps.length - 1 })}` : '';
  if (first) {
    const say = first.test ? 'evidence.sentence.test' : first.qualified === 'yes' ? 'evidence.sentence.qualified' : 'evidence.sentence.stamped';
    return <>{t(say, { date: formatDateTime(first.time, i18n.language, zone), authority: plain(first.authority) })}{renewed}</>;
  }
  if (!evidence.authorities) {
    return <>{t('evidence.sentence.none')}</>;
  }
  return <>{t(evidence.state === 'pending' ? 'evidence.sentence.pending' : 'evidence.sentence.waiting')}</>;
}

// Behind explains the proof and hands it out.
function Behind({ id, evidence }: { id: string; evidence: MessageEvidence }) {
  const { t, i18n } = useTranslation();
  const stamped = evidence.state === 'stamped';
  return (
    <Stack gap="sm" className={classes.behind}>
      <Text size="sm">{t(!stamped ? 'evidence.explainedWaiting' : evidence.stamps.some((s) => s.test) ? 'evidence.explainedTest' : 'evidence.explained')}</Text>
      {evidence.stamps.map((s) => <StampFacts key={s.number} stamp={s} {...(evidence.batch && { hash: evidence.batch.hash, batch: evidence.batch.id })} />)}
      {!stamped && evidence.problem && <TroubleDetails problem={evidence.problem} />}
      {stamped && evidence.available && (
        <div>
          <Group gap="xs">
            <Button component="a" href={bundleAddress(id)} download size="xs" variant="default" leftSection={<IconDownload size={16} aria-hidden />}>{t('evidence.bundle')}</Button>
            <Button component="a" href={inspectionAddress(id, i18n.language)} download size="xs" variant="default">{t('evidence.inspection')}</Button>
            <Button component="a" href={recordAddress(id)} download size="xs" variant="subtle">{t('evidence.record')}</Button>
          </Group>
          <Text size="xs" c="dimmed" mt={4}>{t('evidence.bundleHint')}</Text>
        </div>
      )}
      {stamped && !evidence.available && <Alert variant="light" color="gray" py={6}>{t('evidence.blind')}</Alert>}
    </Stack>
  );
}
