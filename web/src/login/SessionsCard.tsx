import { Button, Group, Paper, Text, Title } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';

import { endOtherSessions, endSession, type Security } from '../api';
import { ask } from '../failure';
import { FailureNote } from '../shell/Failure';
import classes from './Logins.module.css';
import { secured } from './queries';
import { SessionList } from './SessionList';

// SessionsCard shows the user's own sessions and ends others.
export function SessionsCard({ security }: { security: Security }) {
  const { t } = useTranslation();
  const one = useMutation({ mutationFn: (id: string) => ask(endSession({ path: { id } })), onSettled: secured });
  const all = useMutation({ mutationFn: () => ask(endOtherSessions()), onSettled: secured });
  const error = one.error ?? all.error;
  return (
    <Paper withBorder p="lg" radius="md" component="section" aria-labelledby="sessions" className={classes.card}>
      <Title order={2} size="h4" mb="xs" id="sessions">{t('logins.sessions')}</Title>
      <Text size="sm" c="dimmed" mb="sm">{t('logins.sessionsText')}</Text>
      {error && <FailureNote error={error} compact />}
      <SessionList sessions={security.sessions} busy={one.isPending ? one.variables : undefined} end={one.mutate} />
      {security.sessions.length > 1 && (
        <Group mt="md"><Button variant="default" loading={all.isPending} onClick={() => all.mutate()}>{t('logins.endOthers')}</Button></Group>
      )}
    </Paper>
  );
}
