import { Paper, Skeleton, Stack, Text, Title } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';

import { FailureNote } from '../shell/Failure';
import { Titled } from '../shell/ManualLink';
import { useLate } from '../shell/useLate';
import { useAccount, useTitle } from '../shell/usePage';
import { Certificate } from './Certificate';
import { MailRules } from './MailRules';
import { siteQuery } from './queries';
import classes from './Site.module.css';
import { SiteForm } from './SiteForm';

// SitePage lets an operator set by which name and certificate people reach the
// installation.
export function SitePage() {
  const { t } = useTranslation();
  useTitle(t('site.title'));
  const allowed = useAccount().role === 'operator';
  const state = useQuery({ ...siteQuery, enabled: allowed });
  const late = useLate(allowed && state.isPending);
  return (
    <main className={classes.narrow}>
      <Titled><Title order={1} size="h2">{t('site.title')}</Title></Titled>
      {!allowed && <Text role="alert" mt="md">{t('site.forbidden')}</Text>}
      {allowed && <Text size="sm" c="dimmed" mb="lg" maw={640}>{t('site.intro')}</Text>}
      {state.error && <FailureNote error={state.error} retry={() => void state.refetch()} />}
      {late && <Skeleton height={240} aria-hidden />}
      {state.data && (
        <Paper withBorder p="md" radius="md" className={classes.panel}>
          <Stack gap="lg">
            <Certificate state={state.data} />
            <SiteForm state={state.data} />
          </Stack>
        </Paper>
      )}
      {allowed && <MailRules />}
    </main>
  );
}
