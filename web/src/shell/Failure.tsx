import { Alert, Button, Center, Code, CopyButton, Group, Loader, Stack, Text } from '@mantine/core';
import { IconAlertTriangle, IconCopy, IconRefresh } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';

import { Failure } from '../failure';
import { useLate } from './useLate';

const explained = [
  'unreachable', 'internal', 'busy', 'timeout', 'corrupt', 'role', 'not-found', 'cross-origin', 'cursor', 'too-many', 'too-large', 'not-running', 'access-over', 'many-holds', 'shortens', 'kept', 'deleted',
] as const;

type Props = { error: unknown; retry?: () => void; compact?: boolean };

// FailureNote says what went wrong, what to do next, and under which id the
// server's log tells more.
export function FailureNote({ error, retry, compact }: Props) {
  const { t } = useTranslation();
  const failure = error instanceof Failure ? error : undefined;
  const code = failure?.code ?? 'internal';
  const known = explained.find((c) => c === code) ?? 'other';
  const id = failure?.problem?.request_id;
  return (
    <Alert color="red" variant="light" icon={<IconAlertTriangle aria-hidden />} title={compact ? undefined : t('failure.title')} role="alert">
      <Stack gap="xs" align="flex-start">
        <Text size="sm">{t(`failure.${known}`)}</Text>
        {known === 'other' && failure?.problem?.detail && <Text size="sm">{failure.problem.detail}</Text>}
        {id && (
          <Group gap={6}>
            <Text size="xs">{t('failure.requestId')}:</Text>
            <Code>{id}</Code>
            <CopyButton value={id}>
              {({ copied, copy }) => (
                <Button variant="subtle" color="gray" size="compact-xs" leftSection={<IconCopy size={14} aria-hidden />} onClick={copy}>
                  {copied ? t('proof.copied') : t('proof.copy', { what: t('failure.requestId') })}
                </Button>
              )}
            </CopyButton>
          </Group>
        )}
        {retry && (
          <Button size="xs" variant="default" leftSection={<IconRefresh size={16} aria-hidden />} onClick={retry}>
            {t('failure.retry')}
          </Button>
        )}
      </Stack>
    </Alert>
  );
}

// Crash stands in for a page whose code failed.
export function Crash() {
  const { t } = useTranslation();
  return (
    <Center component="main" p="xl" mih="60vh">
      <Stack align="center" maw={460}>
        <Text ta="center" role="alert">{t('failure.crash')}</Text>
        <Button onClick={() => window.location.reload()}>{t('failure.reload')}</Button>
      </Stack>
    </Center>
  );
}

// PageLoading shows a sign of life, but only if there is something to wait for.
export function PageLoading() {
  const { t } = useTranslation();
  const late = useLate(true);
  return <Center mih="40vh" aria-busy>{late && <Loader aria-label={t('app.loading')} />}</Center>;
}
