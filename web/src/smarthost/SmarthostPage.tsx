import { Alert, Paper, Skeleton, Stack, Text, Title } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { IconInfoCircle } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';

import { smarthostQuery } from '../queries';
import { FailureNote } from '../shell/Failure';
import { Titled } from '../shell/ManualLink';
import { useLate } from '../shell/useLate';
import { useAccount, useTitle } from '../shell/usePage';
import { MailQueue } from './MailQueue';
import { SmarthostForm } from './SmarthostForm';
import classes from './Smarthost.module.css';

// SmarthostPage lets an operator set how mail of the archive leaves, try it, and
// see what waits.
export function SmarthostPage() {
  const { t } = useTranslation();
  useTitle(t('smarthost.title'));
  const allowed = useAccount().role === 'operator';
  const state = useQuery({ ...smarthostQuery, enabled: allowed, refetchOnMount: 'always' });
  const late = useLate(allowed && state.isPending);
  return (
    <main className={classes.narrow}>
      <Titled><Title order={1} size="h2">{t('smarthost.title')}</Title></Titled>
      {!allowed && <Text role="alert" mt="md">{t('smarthost.forbidden')}</Text>}
      {allowed && <Text size="sm" c="dimmed" mb="lg" maw={640}>{t('smarthost.intro')}</Text>}
      <Stack gap="lg">
        {state.error && <FailureNote error={state.error} retry={() => void state.refetch()} />}
        {late && <Stack gap="xs" aria-hidden>{Array.from({ length: 5 }, (_, i) => <Skeleton key={i} height={48} />)}</Stack>}
        {state.data && !state.data.smarthost && (
          <Alert variant="light" color="orange" c="var(--m-demo)" icon={<IconInfoCircle size={18} aria-hidden />} py={8}>{t('smarthost.notSet')}</Alert>
        )}
        {state.data && !state.data.sends && (
          <Alert variant="light" color="gray" icon={<IconInfoCircle size={18} aria-hidden />} py={8}>{t('smarthost.notSending')}</Alert>
        )}
        {state.data && <SmarthostForm state={state.data} />}
        {allowed && state.data && <MailQueue />}
      </Stack>
    </main>
  );
}

export function Section({ id, title, children }: { id: string; title: string; children: ReactNode }) {
  return (
    <Paper withBorder p="lg" radius="md" component="section" aria-labelledby={id} className={classes.panel}>
      <Title order={2} size="h4" mb="md" id={id}>{title}</Title>
      <Stack gap="md">{children}</Stack>
    </Paper>
  );
}
