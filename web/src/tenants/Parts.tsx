import { Alert, Badge, Paper, Progress, Stack, Text, Title } from '@mantine/core';
import { IconAlertTriangle } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';

import type { LimitUse, TenantFigures } from '../api';
import { Failure } from '../failure';
import { mistakesOf } from '../fields';
import { formatNumber, formatSize } from '../format';
import { FailureNote } from '../shell/Failure';
import classes from './Tenants.module.css';

// StateBadge says what a tenant may still do.
export function StateBadge({ state }: { state: TenantFigures['state'] }) {
  const { t } = useTranslation();
  const colour = { active: 'teal', suspended: 'orange', ended: 'gray' }[state];
  return (
    <Badge variant="light" radius="sm" tt="none" color={colour} miw="max-content" styles={{ label: { color: 'var(--mantine-color-text)' } }}>{t(`tenants.state.${state}`)}</Badge>
  );
}

// Section is a part of a page with a heading.
export function Section({ id, title, children }: { id: string; title: string; children: ReactNode }) {
  return (
    <Paper withBorder p="lg" radius="md" component="section" aria-labelledby={id} className={classes.panel}>
      <Title order={2} size="h4" mb="md" id={id}>{title}</Title>
      <Stack gap="md">{children}</Stack>
    </Paper>
  );
}

// useAmount writes amounts of what a limit bounds.
export function useAmount(): (use: LimitUse, n: number) => string {
  const { i18n } = useTranslation();
  return (use, n) => (use.what === 'storage' ? formatSize(n, i18n.language) : formatNumber(n, i18n.language));
}

// Limit shows how much of a limit is used.
export function Limit({ use }: { use: LimitUse }) {
  const { t } = useTranslation();
  const amount = useAmount();
  const label = t(`tenants.limit.${use.what}`);
  const text = use.limit > 0 ? t('tenants.usedOf', { used: amount(use, use.used), limit: amount(use, use.limit) }) : t('tenants.usedFree', { used: amount(use, use.used) });
  const colour = use.level === 'reached' ? 'red' : use.level === 'near' ? 'orange' : undefined;
  return (
    <div>
      <Text size="sm"><strong>{label}</strong> {text}</Text>
      {use.limit > 0 && <Progress value={Math.min(100, (100 * use.used) / use.limit)} {...(colour && { color: colour })} aria-label={label} mt={4} />}
      {use.level !== '' && <Text size="xs" c={use.level === 'reached' ? 'var(--m-bad)' : 'var(--m-demo)'} mt={4}>{t(use.level === 'reached' ? 'tenants.reached' : 'tenants.near')}</Text>}
    </div>
  );
}

// Refusal says in plain words what the server did not like: the mistakes of a request
// are said as they are, everything else by the usual note.
export function Refusal({ error }: { error: unknown }) {
  const { t } = useTranslation();
  if (error instanceof Failure && ['invalid', 'limit', 'different-order', 'not-deletable'].includes(error.code)) {
    const problem = error.problem;
    const texts = mistakesOf(t, problem);
    return (
      <Alert variant="light" color="red" role="alert" icon={<IconAlertTriangle aria-hidden />}>
        {error.code === 'invalid' && texts.length > 0 ? texts.map((text) => <div key={text}>{text}</div>) : problem?.detail}
      </Alert>
    );
  }
  return error ? <FailureNote error={error} compact /> : null;
}
