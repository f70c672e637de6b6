import { Anchor, Button, Code, Group, Loader, Modal, Stack, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { IconExternalLink } from '@tabler/icons-react';
import { useEffect } from 'react';
import { useTranslation } from 'react-i18next';

import { cancelMailboxLogIn, getMailboxLogIn, type MailboxLogInState } from '../api';
import { ask } from '../failure';
import { plain } from '../format';
import { FailureNote } from '../shell/Failure';
import { Copy, ProblemNote } from './Signs';
import classes from './Sources.module.css';

type Props = { begun: MailboxLogInState; user: string; done: (id: string) => void; close: () => void };

const pollEvery = 2_000;

// CodeDialog shows the code and the page to enter it, and waits until somebody has.
export function CodeDialog({ begun, user, done, close }: Props) {
  const { t } = useTranslation();
  const id = begun.id ?? '';
  const poll = useQuery({
    queryKey: ['mailbox-log-in', id],
    queryFn: ({ signal }) => ask<MailboxLogInState>(getMailboxLogIn({ path: { id }, signal })),
    enabled: id !== '',
    gcTime: 0,
    refetchInterval: (query) => (query.state.error || (query.state.data && query.state.data.state !== 'waiting') ? false : pollEvery),
    refetchIntervalInBackground: true,
  });
  const now = poll.data ?? begun;
  const finished = now.state === 'done';
  useEffect(() => {
    if (finished) {
      done(id);
    }
  }, [finished, done, id]);
  const giveUp = () => {
    if (id !== '' && now.state === 'waiting') {
      void cancelMailboxLogIn({ path: { id } });
    }
    close();
  };
  const page = now.url !== undefined && /^https?:\/\//u.test(now.url) ? now.url : undefined;
  return (
    <Modal opened onClose={giveUp} title={t('mailLogIn.title')} closeOnClickOutside={false} closeButtonProps={{ 'aria-label': t('app.close') }} centered>
      <Stack gap="md">
        {now.problem && <ProblemNote problem={now.problem} />}
        {poll.error && <FailureNote error={poll.error} />}
        {now.state === 'waiting' && !poll.error && (
          <>
            <div>
              <Text size="sm">{t('mailLogIn.open')}</Text>
              {page && <Anchor href={page} target="_blank" rel="noopener noreferrer" className={classes.breakable}>{page} <IconExternalLink size={16} aria-hidden /></Anchor>}
            </div>
            <div>
              <Text size="sm">{t('mailLogIn.enter')}</Text>
              <Group gap="xs" mt={4}>
                <Code fz="xl" fw={700} px="md" py="xs" data-testid="device-code">{plain(now.code ?? '')}</Code>
                <Copy value={now.code ?? ''} label={t('mailLogIn.copy')} />
              </Group>
            </div>
            <Text size="sm">{t('mailLogIn.as', { user: plain(user) })}</Text>
            <Group gap="sm" role="status"><Loader size="sm" aria-hidden /><Text size="sm" c="dimmed">{t('mailLogIn.waiting')}</Text></Group>
          </>
        )}
        <Group justify="flex-end"><Button variant="default" onClick={giveUp}>{t(now.state === 'waiting' && !poll.error ? 'sources.cancel' : 'app.close')}</Button></Group>
      </Stack>
    </Modal>
  );
}
