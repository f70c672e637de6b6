import { Paper, Text, Title } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';

import { FailureNote } from '../shell/Failure';
import { useAccount } from '../shell/usePage';
import classes from './Access.module.css';
import { readersQuery } from './queries';
import { RecordList } from './RecordList';

// Readers tells people who has read their mail.
export function Readers() {
  const { t } = useTranslation();
  const ofTenant = useAccount().tenant !== undefined;
  const state = useQuery({ ...readersQuery, enabled: ofTenant });
  if (!ofTenant) {
    return null;
  }
  return (
    <Paper withBorder p="lg" radius="md" component="section" aria-labelledby="readers" className={classes.panel}>
      <Title order={2} size="h4" mb="xs" id="readers">{t('access.readers')}</Title>
      <Text size="sm" c="dimmed" mb="md">{t(state.data?.told === false ? 'access.notTold' : 'access.readersIntro')}</Text>
      {state.error && <FailureNote error={state.error} compact />}
      {state.data?.told && state.data.records.length === 0 && <Text size="sm">{t('access.nobody')}</Text>}
      <RecordList records={state.data?.records ?? []} />
    </Paper>
  );
}
