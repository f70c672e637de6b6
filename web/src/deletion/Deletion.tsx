import { Button, Group, Modal, Stack, Text } from '@mantine/core';
import { useMutation, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';

import classes from '../access/Access.module.css';
import { settled } from '../access/queries';
import { carryOutDeletion, type AccessRequest, type DeletionDone } from '../api';
import { ask } from '../failure';
import { formatDateTime, formatLastDay, formatSize } from '../format';
import { queries } from '../queries';
import { FailureNote } from '../shell/Failure';
import { useAccount } from '../shell/usePage';
import { deletionQuery } from './queries';
import { Refused } from './Refused';

// Concerned lists, when it is asked to, the messages that a request is about: numbers,
// classes and days, and nothing of what is in them.
export function Concerned({ request }: { request: AccessRequest }) {
  const { t, i18n } = useTranslation();
  const zone = useAccount().tenant?.zone;
  const [opened, setOpened] = useState(false);
  const state = useQuery({ ...deletionQuery(request.id), enabled: opened });
  const when = (at: string) => formatDateTime(at, i18n.language, zone);
  if (!opened) {
    return <Group mt="xs"><Button size="compact-xs" variant="subtle" onClick={() => setOpened(true)}>{t('deletion.show')}</Button></Group>;
  }
  return (
    <Stack gap={4} mt="xs" component="ul" pl="md" m={0} aria-label={t('deletion.concerned')}>
      {state.error && <FailureNote error={state.error} compact />}
      {state.data?.messages.map((m) => (
        <Text key={m.id} size="sm" component="li" className={classes.name}>
          {m.id}
          <Text span size="xs" c="dimmed">
            {' '}{t(`deletion.state.${m.state}`)}
            {m.received_at && `, ${t('deletion.received', { date: when(m.received_at) })}, ${formatSize(m.size, i18n.language)}`}
            {m.due && `, ${t('deletion.keptUntil', { date: formatLastDay(m.due, i18n.language, zone) })}`}
            {m.holds.length > 0 && `, ${t('deletion.held')}`}
          </Text>
        </Text>
      ))}
    </Stack>
  );
}

// CarryOut deletes for good, after one more question.
export function CarryOut({ request }: { request: AccessRequest }) {
  const { t } = useTranslation();
  const [asked, setAsked] = useState(false);
  const act = useMutation({
    mutationFn: () => ask<DeletionDone>(carryOutDeletion({ path: { id: request.id } })),
    onSuccess: () => setAsked(false),
    onSettled: () => {
      settled();
      void queries.invalidateQueries();
    },
  });
  return (
    <>
      <Button size="xs" color="red.9" onClick={() => setAsked(true)}>{t('deletion.now')}</Button>
      <Modal opened={asked} onClose={() => setAsked(false)} title={t('deletion.now')} closeButtonProps={{ 'aria-label': t('app.close') }}>
        <Stack gap="md">
          <Text size="sm">{t('deletion.sure', { count: request.messages })}</Text>
          {act.error && <Refused error={act.error} />}
          <Group>
            <Button color="red.9" loading={act.isPending} onClick={() => act.mutate()}>{t('deletion.yes')}</Button>
            <Button variant="default" onClick={() => setAsked(false)}>{t('deletion.no')}</Button>
          </Group>
        </Stack>
      </Modal>
    </>
  );
}
