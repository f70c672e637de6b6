import { Alert, Button, Code, Group, Stack, Text } from '@mantine/core';
import { IconCheck, IconCircleCheck, IconX } from '@tabler/icons-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';

import type { SendingProblem, SendingStep, SmarthostFinding } from '../api';
import { plain } from '../format';
import { Copy } from '../sources/Signs';
import type { Draft } from './draft';
import classes from './Smarthost.module.css';

type Props = { finding: SmarthostFinding; draft: Draft; change: (part: Partial<Draft>) => void };

// Finding shows how far a test came and what went wrong.
export function Finding({ finding: f, draft, change }: Props) {
  const { t } = useTranslation();
  const sent = f.steps.some((s) => s.what === 'message' && s.ok);
  const pinned = draft.pin !== '' && draft.pin === f.certificate;
  return (
    <Stack gap="sm" role="status" data-testid="test-result">
      {f.ok && (
        <Alert variant="light" color="teal" icon={<IconCircleCheck aria-hidden />} py={8} title={t(sent ? 'smarthost.testSent' : 'smarthost.testOk')}>
          {sent && <Text size="sm">{t('smarthost.testSentHint')}</Text>}
        </Alert>
      )}
      {f.problem && <SendingTrouble problem={f.problem} />}
      {f.steps.length > 0 && (
        <div>
          <Text size="sm" fw={600}>{t('smarthost.steps')}</Text>
          <ul className={classes.steps}>{f.steps.map((s, i) => <Step key={i} step={s} />)}</ul>
        </div>
      )}
      {f.certificate && (
        <div>
          <Text size="sm" fw={600}>{t('smarthost.certificate')}</Text>
          <Group gap={4} wrap="nowrap"><Code className={classes.breakable}>{f.certificate}</Code><Copy value={f.certificate} label={t('proof.copy', { what: t('smarthost.certificate') })} /></Group>
          {pinned
            ? <Text size="sm" c="dimmed" mt={4}>{t('smarthost.pinned')}</Text>
            : <Button size="xs" variant="default" mt={6} onClick={() => change({ pin: f.certificate ?? '' })}>{t('smarthost.pinThis')}</Button>}
        </div>
      )}
    </Stack>
  );
}

function Step({ step }: { step: SendingStep }) {
  const { t } = useTranslation();
  const text = step.ok && step.what === 'tls' && step.text.startsWith('none:') ? t('smarthost.tlsNone') : plain(step.text);
  return (
    <li data-ok={step.ok}>
      {step.ok ? <IconCheck size={18} aria-hidden /> : <IconX size={18} aria-hidden />}
      <span className={classes.breakable}>
        {t(`smarthost.step.${step.what}`)}: {t(step.ok ? 'smarthost.worked' : 'smarthost.failed')}
        {text && <Text span size="xs" c="dimmed" display="block">{text}</Text>}
      </span>
    </li>
  );
}

// SendingTrouble says what is wrong and what to do; what the server has said is one
// click away and can be copied.
export function SendingTrouble({ problem }: { problem: SendingProblem }) {
  const { t } = useTranslation();
  const [open, setOpen] = useState(false);
  const detail = plain([problem.code, problem.text, problem.detail].filter(Boolean).join('\n'));
  return (
    <div className={classes.trouble}>
      <Text size="sm" fw={600}>{t(`smarthost.problem.${problem.code}`)}</Text>
      <Text size="sm">{t(`smarthost.cure.${problem.code}`)}</Text>
      <Group gap={4} mt={4} ml={-8}>
        <Button variant="subtle" color="gray" size="compact-xs" aria-expanded={open} onClick={() => setOpen(!open)}>{t(open ? 'sources.hideDetails' : 'sources.details')}</Button>
        {open && <Copy value={detail} label={t('sources.copyDetails')} />}
      </Group>
      {open && <Code className={classes.detail}>{detail}</Code>}
    </div>
  );
}
