import { Anchor, Paper, Stack, Text, Title } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';

import { speak } from '../i18n';
import { statusQuery } from '../queries';
import { Logo } from '../shell/Logo';
import { ManualLink } from '../shell/ManualLink';
import { SchemeMenu } from '../shell/SchemeMenu';
import { useBranding } from '../shell/useBranding';
import classes from './LogInPage.module.css';

type Props = {
  children: ReactNode;
  below?: ReactNode;
};

// Door is what surrounds the pages of those who are not, or not quite, logged in.
export function Door({ children, below }: Props) {
  const { t } = useTranslation();
  const status = useQuery(statusQuery);
  const branding = status.data?.branding;
  useBranding(branding);
  return (
    <div className={classes.page}>
      <div className={classes.corner}><Languages /><SchemeMenu /></div>
      <main className={classes.main}>
        <Stack gap={6} align="center" mb="lg">
          <Logo size={52} branding={branding} />
          <Title order={1} size={28}>{branding?.name ?? status.data?.name ?? 'Muniment'}</Title>
          <Text c="dimmed">{t('app.tagline')}</Text>
        </Stack>
        <Paper withBorder p="lg" radius="md" className={classes.card}>{children}</Paper>
        {below}
      </main>
      <footer className={classes.foot}>
        {branding?.support && <Anchor size="xs" href={`mailto:${branding.support}`}>{t('login.support', { address: branding.support })}</Anchor>}
        <ManualLink small />
        <Text size="xs" c="dimmed">{['Muniment', ...(status.data?.version ?? '').split(' ').slice(0, 1)].join(' ').trim()}</Text>
      </footer>
    </div>
  );
}

function Languages() {
  const { t, i18n } = useTranslation();
  const other = i18n.resolvedLanguage === 'de' ? 'en' : 'de';
  return (
    <Anchor component="button" type="button" size="sm" lang={other} onClick={() => speak(other)}>{t(`language.${other}`)}</Anchor>
  );
}
