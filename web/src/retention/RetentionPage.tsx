import { Skeleton, Stack, Text, Title } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';

import classes from '../access/Access.module.css';
import { FailureNote } from '../shell/Failure';
import { Titled } from '../shell/ManualLink';
import { useLate } from '../shell/useLate';
import { useAccount, useTitle } from '../shell/usePage';
import { Holds } from './Holds';
import { Laws, Setting } from './Setting';
import { holdsQuery, retentionQuery, seesHolds } from './queries';

// RetentionPage says how long mail is kept and what must not be deleted at all.
export function RetentionPage({ messages }: { messages: readonly string[] }) {
  const { t } = useTranslation();
  useTitle(t('retention.title'));
  const allowed = seesHolds(useAccount().role);
  const setting = useQuery({ ...retentionQuery, enabled: allowed });
  const holds = useQuery({ ...holdsQuery, enabled: allowed });
  const late = useLate(allowed && (setting.isPending || holds.isPending));
  const error = setting.error ?? holds.error;
  return (
    <main className={classes.narrow}>
      <Titled><Title order={1} size="h2">{t('retention.title')}</Title></Titled>
      {!allowed && <Text role="alert" mt="md">{t('retention.forbidden')}</Text>}
      {allowed && <Text size="sm" c="dimmed" mb="lg" maw={640}>{t('retention.intro')}</Text>}
      <Stack gap="xl">
        {error && <FailureNote error={error} retry={() => { void setting.refetch(); void holds.refetch(); }} />}
        {late && <Stack gap="xs" aria-hidden>{Array.from({ length: 3 }, (_, i) => <Skeleton key={i} height={120} />)}</Stack>}
        {holds.data && messages.length > 0 && <Holds list={holds.data.holds} messages={messages} />}
        {setting.data && <Setting key={JSON.stringify(setting.data.current)} state={setting.data} />}
        {holds.data && messages.length === 0 && <Holds list={holds.data.holds} messages={messages} />}
        {setting.data && <Laws state={setting.data} />}
      </Stack>
    </main>
  );
}
