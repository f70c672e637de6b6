import { Alert, Button, Code, CopyButton, Group, Modal, Paper, Stack, Text, Title } from '@mantine/core';
import { useMutation, useQuery } from '@tanstack/react-query';
import { IconCopy, IconMailForward, IconShieldOff } from '@tabler/icons-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';

import { endUserSession, endUserSessions, resetFactors, welcomeUser, type Invitation, type Security } from '../api';
import { ask } from '../failure';
import { formatDateTime } from '../format';
import { FailureNote } from '../shell/Failure';
import { useAccount } from '../shell/usePage';
import classes from './Logins.module.css';
import { secured, userSecurityQuery } from './queries';
import { SessionList } from './SessionList';

// UserLogIns is what an administrator sees and does about how a user logs in: send a
// link (unless that is offered elsewhere), remove factors, end sessions.
export function UserLogIns({ id, name, link = true }: { id: string; name: string; link?: boolean }) {
  const security = useQuery(userSecurityQuery(id));
  return (
    <Stack gap="lg">
      {security.error && <FailureNote error={security.error} retry={() => void security.refetch()} />}
      {security.data && (
        <>
          {link && <SendLink id={id} security={security.data} />}
          <UserFactors id={id} name={name} security={security.data} />
          <UserSessions id={id} security={security.data} />
        </>
      )}
    </Stack>
  );
}

// SendLink mails a user a one-time link, or shows it where no mail can be sent.
export function SendLink({ id, security, title }: { id: string; security: Security; title?: string }) {
  const { t, i18n } = useTranslation();
  const zone = useAccount().tenant?.zone;
  const send = useMutation({ mutationFn: () => ask<Invitation>(welcomeUser({ path: { id }, body: {} })), onSuccess: secured });
  const at = (date: string) => formatDateTime(date, i18n.language, zone);
  return (
    <Paper withBorder p="lg" radius="md" component="section" className={classes.card}>
      <Title order={2} size="h5" mb="xs">{title ?? t('logins.linkCard')}</Title>
      <Text size="sm" c="dimmed" mb="sm">{t(security.has_password ? 'logins.linkCardReset' : 'logins.linkCardWelcome')}</Text>
      {security.links.map((l) => <Text key={l.purpose} size="sm" mb="xs">{t('logins.linkOpen', { date: at(l.created_at), until: at(l.expires_at) })}</Text>)}
      {send.error && <FailureNote error={send.error} compact />}
      {send.data?.mailed_to && <Alert variant="light" color="green" role="status" mb="sm">{t('logins.linkMailed', { address: send.data.mailed_to, until: at(send.data.expires_at) })}</Alert>}
      {send.data?.link && (
        <Alert variant="light" color="orange" role="status" mb="sm" title={send.data.mailed_to ? undefined : t('logins.linkNoMail')}>
          <Stack gap="xs" align="flex-start">
            <Text size="sm">{t('logins.linkHandOver', { until: at(send.data.expires_at) })}</Text>
            <Code block>{send.data.link}</Code>
            <CopyButton value={send.data.link}>
              {({ copied, copy }) => <Button variant="default" size="xs" leftSection={<IconCopy size={14} aria-hidden />} onClick={copy}>{t(copied ? 'logins.copied' : 'logins.copy')}</Button>}
            </CopyButton>
          </Stack>
        </Alert>
      )}
      <Button variant={title ? 'filled' : 'default'} leftSection={<IconMailForward size={18} aria-hidden />} loading={send.isPending} onClick={() => send.mutate()}>{t('logins.linkSend')}</Button>
    </Paper>
  );
}

// UserFactors shows what a user has set up, and removes all of it.
export function UserFactors({ id, name, security }: { id: string; name: string; security: Security }) {
  const { t } = useTranslation();
  const [asked, setAsked] = useState(false);
  const reset = useMutation({
    mutationFn: () => ask(resetFactors({ path: { id } })),
    onSuccess: () => {
      setAsked(false);
      secured();
    },
  });
  const some = security.totp !== undefined || security.passkeys.length > 0 || security.recovery_codes > 0;
  return (
    <Paper withBorder p="lg" radius="md" component="section" className={classes.card}>
      <Title order={2} size="h5" mb="xs">{t('logins.factors')}</Title>
      <Text size="sm" mb="sm">
        {some
          ? t('logins.userHas', { totp: t(security.totp ? 'logins.yes' : 'logins.no'), passkeys: security.passkeys.length, codes: security.recovery_codes })
          : t(security.required ? 'logins.userHasNoneRequired' : 'logins.userHasNone')}
      </Text>
      {some && <Button variant="default" leftSection={<IconShieldOff size={18} aria-hidden />} onClick={() => { reset.reset(); setAsked(true); }}>{t('logins.reset')}</Button>}
      <Modal opened={asked} onClose={() => setAsked(false)} title={t('logins.reset')} closeButtonProps={{ 'aria-label': t('app.close') }}>
        <Stack>
          <Text size="sm">{t('logins.resetText', { name })}</Text>
          {reset.error && <FailureNote error={reset.error} compact />}
          <Group justify="flex-end">
            <Button variant="default" onClick={() => setAsked(false)}>{t('logins.cancel')}</Button>
            <Button color="red" loading={reset.isPending} onClick={() => reset.mutate()}>{t('logins.reset')}</Button>
          </Group>
        </Stack>
      </Modal>
    </Paper>
  );
}

// UserSessions shows where a user is logged in, and ends that.
export function UserSessions({ id, security }: { id: string; security: Security }) {
  const { t } = useTranslation();
  const one = useMutation({ mutationFn: (session: string) => ask(endUserSession({ path: { id, session } })), onSettled: secured });
  const all = useMutation({ mutationFn: () => ask(endUserSessions({ path: { id } })), onSettled: secured });
  const error = one.error ?? all.error;
  return (
    <Paper withBorder p="lg" radius="md" component="section" className={classes.card}>
      <Title order={2} size="h5" mb="xs">{t('logins.sessions')}</Title>
      {error && <FailureNote error={error} compact />}
      {security.sessions.length === 0 && <Text size="sm" c="dimmed">{t('logins.noSessions')}</Text>}
      <SessionList sessions={security.sessions} busy={one.isPending ? one.variables : undefined} end={one.mutate} />
      {security.sessions.length > 0 && <Group mt="md"><Button variant="default" loading={all.isPending} onClick={() => all.mutate()}>{t('logins.endAll')}</Button></Group>}
    </Paper>
  );
}
