import { Alert, Button, Code, Group, Stack, Text } from '@mantine/core';
import { IconCheck, IconCircleCheck, IconX } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';

import type { MailboxFinding, MailboxStep } from '../api';
import { formatNumber, plain } from '../format';
import { foundIn, nameOfStep, readStep, type Draft } from './draft';
import { countIn } from './reason';
import { Copy, ProblemNote } from './Signs';
import classes from './Sources.module.css';

type Props = { finding: MailboxFinding; draft: Draft; change: (part: Partial<Draft>) => void };

// TestResult shows what a test of the settings has found and offers to keep it.
export function TestResult({ finding: f, draft, change }: Props) {
  const { t, i18n } = useTranslation();
  const better = f.ok ? foundIn(f, draft) : undefined;
  const way = useWay();
  const pinned = draft.pin !== '' && draft.pin === f.certificate;
  return (
    <Stack gap="sm" role="status" data-testid="test-result">
      {f.ok && (
        <Alert variant="light" color="teal" icon={<IconCircleCheck aria-hidden />} py={8} title={t('sources.testOk')}>
          <Text size="sm">{t('sources.testMessages', { count: f.messages, number: formatNumber(f.messages, i18n.language) })}</Text>
        </Alert>
      )}
      {f.problem && <ProblemNote problem={f.problem} tested />}
      {f.found && (
        <Group gap="xs">
          <Text size="sm"><b>{t('sources.found')}:</b> {way(f.found.protocol, f.found.port, f.found.tls)}</Text>
          {better && <Button size="compact-xs" variant="default" onClick={() => change(better)}>{t('sources.useFound')}</Button>}
        </Group>
      )}
      {f.steps.length > 0 && (
        <div>
          <Text size="sm" fw={600}>{t('sources.steps')}</Text>
          <ul className={classes.steps}>{f.steps.map((s, i) => <Step key={i} step={s} />)}</ul>
        </div>
      )}
      {f.folders.length > 0 && <Text size="sm" className={classes.breakable}><b>{t('sources.foldersFound')}:</b> {plain(f.folders.join(', '))}</Text>}
      {f.certificate && (
        <div>
          <Text size="sm" fw={600}>{t('sources.certificate')}</Text>
          <Group gap={4} wrap="nowrap"><Code className={classes.address}>{f.certificate}</Code><Copy value={f.certificate} label={t('proof.copy', { what: t('sources.certificate') })} /></Group>
          {pinned
            ? <Text size="sm" c="dimmed" mt={4}>{t('sources.pinned')}</Text>
            : <Button size="xs" variant="default" mt={6} onClick={() => change({ pin: f.certificate ?? '' })}>{t('sources.pinThis')}</Button>}
        </div>
      )}
    </Stack>
  );
}

// useWay names a way to a server in words.
function useWay(): (protocol: string, port: number, tls: string) => string {
  const { t } = useTranslation();
  return (protocol, port, tls) => {
    const way = (['implicit', 'starttls', 'none'] as const).find((w) => w === tls);
    return t('sources.way', { protocol: protocol.toUpperCase(), port, tls: way ? t(`sources.tlsWays.${way}`) : tls });
  };
}

// useStepName names what was tried in the reader's language, as far as it is known.
function useStepName(): (what: string) => string {
  const { t } = useTranslation();
  const way = useWay();
  return (what) => {
    const server = readStep(what);
    const name = nameOfStep(what.replace(/^log in as .*$/u, 'log in'));
    if (server) {
      return way(server.protocol, server.port, server.tls);
    }
    if (name) {
      return t(`sources.step.${name}`);
    }
    return what.startsWith('folder ') ? t('sources.step.folder', { name: plain(what.slice('folder '.length)) }) : plain(what);
  };
}

// StepText says in the reader's language what a step has shown; what the server said
// is one click away.
function StepText({ step }: { step: MailboxStep }) {
  const { t, i18n } = useTranslation();
  if (!step.ok && step.code) {
    return (
      <Text span size="xs" c="dimmed" display="block">
        {t(`sources.problem.${step.code}`)}
        <details><summary>{t('sources.details')}</summary>{plain(step.text)}</details>
      </Text>
    );
  }
  const count = countIn(step.text);
  let text = '';
  if (!step.ok) {
    text = plain(step.text);
  } else if (step.what === 'encryption') {
    text = t('sources.tlsNone');
  } else if (count !== undefined) {
    text = t(step.what === 'list folders' ? 'sources.countFolders' : 'sources.countMessages', { count, number: formatNumber(count, i18n.language) });
  }
  return text && <Text span size="xs" c="dimmed" display="block">{text}</Text>;
}

function Step({ step }: { step: MailboxStep }) {
  const { t } = useTranslation();
  const name = useStepName()(step.what);
  return (
    <li data-ok={step.ok}>
      {step.ok ? <IconCheck size={18} aria-hidden /> : <IconX size={18} aria-hidden />}
      <span className={classes.breakable}>
        {name}: {t(step.ok ? 'sources.worked' : 'sources.failed')}
        <StepText step={step} />
      </span>
    </li>
  );
}
