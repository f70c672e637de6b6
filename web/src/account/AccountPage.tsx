import { NativeSelect, Paper, SegmentedControl, Stack, Switch, Text, Title, useMantineColorScheme, type MantineColorScheme } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';

import { Readers } from '../access/Readers';
import { changeAccount, type Account } from '../api';
import { ask } from '../failure';
import { formatDateTime } from '../format';
import { speak } from '../i18n';
import { OwnLogIns } from '../login/OwnLogIns';
import { accountQuery, queries } from '../queries';
import { FailureNote } from '../shell/Failure';
import { Titled } from '../shell/ManualLink';
import { switchShortcuts, useShortcutsOn } from '../shell/shortcuts';
import { useAccount, useTitle } from '../shell/usePage';
import classes from './AccountPage.module.css';

const schemes: MantineColorScheme[] = ['auto', 'light', 'dark'];

export function AccountPage() {
  const { t } = useTranslation();
  useTitle(t('account.title'));
  return (
    <main className={classes.page}>
      <Titled><Title order={1} size="h2" mb="lg">{t('account.title')}</Title></Titled>
      <Stack gap="lg">
        <Settings />
        <OwnLogIns />
        <Profile />
        <Readers />
      </Stack>
    </main>
  );
}

function Settings() {
  const { t } = useTranslation();
  const account = useAccount();
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const shortcuts = useShortcutsOn();
  const change = useMutation({
    mutationFn: (language: Account['language']) => ask<Account>(changeAccount({ body: { language } })),
    onSuccess: (data) => {
      queries.setQueryData(accountQuery.queryKey, data);
      speak(data.language);
    },
  });
  return (
    <Paper withBorder p="lg" radius="md" component="section" aria-labelledby="settings" className={classes.card}>
      <Title order={2} size="h4" mb="md" id="settings">{t('account.settings')}</Title>
      <Stack gap="lg">
        <div>
          <NativeSelect
            label={t('language.label')}
            description={t('account.languageHint')}
            value={change.isPending ? change.variables : account.language}
            onChange={(event) => change.mutate(event.currentTarget.value as Account['language'])}
            data={[{ value: '', label: t('language.browser') }, { value: 'de', label: t('language.de') }, { value: 'en', label: t('language.en') }]}
            maw={320}
          />
          <Text size="sm" c="dimmed" mt={4} role="status">{change.isSuccess ? t('account.saved') : ''}</Text>
          {change.error && <FailureNote error={change.error} compact />}
        </div>
        <div>
          <Text size="sm" fw={500} id="scheme-label">{t('scheme.label')}</Text>
          <Text size="xs" c="dimmed" mb={6}>{t('account.schemeHint')}</Text>
          <SegmentedControl
            aria-labelledby="scheme-label"
            value={colorScheme}
            onChange={(value) => setColorScheme(schemes.find((s) => s === value) ?? 'auto')}
            data={schemes.map((value) => ({ value, label: t(`scheme.${value}`) }))}
          />
        </div>
        <Switch checked={shortcuts} onChange={(event) => switchShortcuts(event.currentTarget.checked)} label={t('account.shortcuts')} description={t('account.shortcutsHint')} />
      </Stack>
    </Paper>
  );
}

function Profile() {
  const { t, i18n } = useTranslation();
  const account = useAccount();
  return (
    <Paper withBorder p="lg" radius="md" component="section" aria-labelledby="profile" className={classes.card}>
      <Title order={2} size="h4" mb="md" id="profile">{t('account.profile')}</Title>
      <dl className={classes.facts}>
        <dt>{t('account.name')}</dt><dd>{account.name}</dd>
        <dt>{t('account.login')}</dt><dd>{account.login}</dd>
        <dt>{t('account.role')}</dt><dd>{t(`role.${account.role}`)}</dd>
        {account.tenant && <><dt>{t('account.tenant')}</dt><dd>{account.tenant.name}</dd></>}
        {account.tenant?.zone && <><dt>{t('account.zone')}</dt><dd>{account.tenant.zone}</dd></>}
        <dt>{t('account.addresses')}</dt>
        <dd>
          {account.addresses.map((a) => <div key={a}>{a}</div>)}
          <Text size="xs" c="dimmed" mt={4}>{t(account.addresses.length > 0 ? 'account.addressesHint' : 'account.noAddresses')}</Text>
        </dd>
      </dl>
      <Text size="xs" c="dimmed" mt="md">{t('account.until', { date: formatDateTime(account.expires_at, i18n.language, account.tenant?.zone) })}</Text>
    </Paper>
  );
}
