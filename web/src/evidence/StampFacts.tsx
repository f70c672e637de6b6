import { Badge, Button, Code, Group, Text } from '@mantine/core';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';

import type { EvidenceProblem, EvidenceStamp } from '../api';
import { formatDateTime, plain } from '../format';
import { Copy } from '../sources/Signs';
import { useAccount } from '../shell/usePage';
import classes from './Evidence.module.css';

// StampFacts tells everything about one time stamp.
export function StampFacts({ stamp: s, hash, batch }: { stamp: EvidenceStamp; hash?: string; batch?: string }) {
  const { t, i18n } = useTranslation();
  const zone = useAccount().tenant?.zone;
  const at = (iso: string) => formatDateTime(iso, i18n.language, zone);
  const facts: [string, string][] = [
    [t('evidence.time'), at(s.time)],
    [t('evidence.authority'), plain(s.authority)],
    [t('evidence.until'), at(s.until)],
    [t('evidence.policy'), s.policy],
  ];
  if (hash) facts.push([t('evidence.hash'), hash]);
  if (batch) facts.push([t('evidence.batch'), batch]);
  return (
    <div>
      <Group gap="xs" mb={2}>
        <Text size="sm" fw={600}>{t(s.number === 1 ? 'evidence.first' : 'evidence.renewal', { number: s.number - 1 })}</Text>
        <Verdict stamp={s} />
      </Group>
      <dl className={classes.facts}>
        {facts.map(([name, value]) => <div key={name}><dt>{name}</dt><dd>{value}</dd></div>)}
      </dl>
      <Text size="xs" c="dimmed">{t(s.test ? 'evidence.why.test' : `evidence.why.${s.qualified}`)}{!s.test && s.reason ? ` (${plain(s.reason)})` : ''}</Text>
    </div>
  );
}

const colors = { yes: 'teal', no: 'gray', unknown: 'yellow' } as const;

// Verdict says whether a time stamp is qualified. Only a trusted list can say yes.
export function Verdict({ stamp: s }: { stamp: EvidenceStamp }) {
  const { t } = useTranslation();
  return (
    <Badge variant="light" color={s.test ? 'orange' : colors[s.qualified]} radius="sm" tt="none" classNames={{ label: classes.badge ?? '' }}>
      {t(s.test ? 'evidence.verdict.test' : `evidence.verdict.${s.qualified}`)}
    </Badge>
  );
}

// TroubleDetails says why there is no time stamp; what experts want is one click away.
export function TroubleDetails({ problem }: { problem: EvidenceProblem }) {
  const { t } = useTranslation();
  const [open, setOpen] = useState(false);
  const detail = plain([problem.code, problem.detail].join('\n'));
  return (
    <div className={classes.trouble} role="alert">
      <Text size="sm" fw={600}>{t('evidence.trouble')}</Text>
      <Text size="sm">{t(`evidence.problem.${kindOf(problem.code)}`)}</Text>
      <Group gap={4} mt={4} ml={-8}>
        <Button variant="subtle" color="gray" size="compact-xs" aria-expanded={open} onClick={() => setOpen(!open)}>{t(open ? 'sources.hideDetails' : 'sources.details')}</Button>
        {open && <Copy value={detail} label={t('sources.copyDetails')} />}
      </Group>
      {open && <Code className={classes.detail}>{detail}</Code>}
    </div>
  );
}

const kinds = {
  'answer-http': 'reach', 'answer-media-type': 'reach', 'answer-malformed': 'reach',
  'answer-status': 'refused', 'authority-quota': 'quota', 'authority-back-off': 'later',
  'answer-time': 'clock', 'answer-policy': 'policy', 'answer-accuracy': 'accuracy',
  'token-no-anchor': 'trust', 'token-path': 'trust', 'token-certificate-expired': 'trust', 'token-certificate-revoked': 'trust',
} as const;

// kindOf puts the codes of the server into the few kinds that people can act on.
function kindOf(code: string): (typeof kinds)[keyof typeof kinds] | 'other' {
  return code in kinds ? kinds[code as keyof typeof kinds] : 'other';
}
