import { ActionIcon, Badge, Group, Menu, Text, Tooltip, UnstyledButton, VisuallyHidden } from '@mantine/core';
import { useMutation, useQuery } from '@tanstack/react-query';
import { Link, Navigate, Outlet, useRouter, useRouterState } from '@tanstack/react-router';
import { IconKeyboard, IconLogout, IconUser, IconUserCircle } from '@tabler/icons-react';
import { lazy, Suspense, useEffect, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';

import { logOut, type Account } from '../api';
import { ask, hasCode } from '../failure';
import { speak } from '../i18n';
import { accountQuery, queries, statusQuery } from '../queries';
import { Administration } from './Administration';
import { FailureNote, PageLoading } from './Failure';
import classes from './Frame.module.css';
import { HelpDialog } from './HelpDialog';
import { Logo } from './Logo';
import { Navigation } from './Navigation';
import { isAdministration } from './pages';
import { SchemeMenu } from './SchemeMenu';
import { useKeys } from './shortcuts';
import { useBranding } from './useBranding';

const SetUp = lazy(async () => ({ default: (await import('../login/SetUp')).SetUp }));

// Frame is what surrounds every page of a session. It leads to the log-in page
// when there is none.
export function Frame() {
  const account = useQuery(accountQuery);
  const language = account.data?.language;
  useEffect(() => {
    if (language !== undefined) {
      speak(language);
    }
  }, [language]);
  if (account.data === null) {
    return <ToLogIn />;
  }
  if (account.data?.setup_needed) {
    return <Suspense fallback={<PageLoading />}><SetUp account={account.data} /></Suspense>;
  }
  if (account.data) {
    return <Framed account={account.data} />;
  }
  if (account.error) {
    return <main className={classes.alone}><FailureNote error={account.error} retry={() => void account.refetch()} /></main>;
  }
  return <PageLoading />;
}

// ToLogIn leads to the log-in page once, and from there back to where it came from.
// The frame is still rendered while the other page is fetched, with the new address.
function ToLogIn() {
  const router = useRouter();
  useEffect(() => {
    const { href } = router.state.location;
    void router.navigate({ to: '/login', search: href === '/' ? {} : { next: href }, replace: true });
  }, [router]);
  return null;
}

function Framed({ account }: { account: Account }) {
  const { t } = useTranslation();
  const [help, setHelp] = useState(false);
  const path = useRouterState({ select: (s) => s.location.pathname });
  const above = account.role === 'operator' || account.role === 'reseller';
  const status = useQuery(statusQuery);
  const branding = account.branding ?? status.data?.branding;
  useBranding(branding);
  const content = useRef<HTMLDivElement>(null);
  useEffect(() => { // another page begins at its top
    content.current?.scrollTo(0, 0);
  }, [path]);
  useKeys({ '?': () => setHelp(true) });
  return (
    <div className={classes.frame}>
      <a className={classes.skip} href="#content">{t('app.skip')}</a>
      <header className={classes.header}>
        <Group gap="xs" wrap="nowrap" className={classes.brand}>
          <Link to="/" className={classes.home}>
            <Logo branding={branding} />
            <Text fw={650} span truncate>{branding?.name ?? status.data?.name ?? 'Muniment'}</Text>
          </Link>
          {account.tenant && <Text span c="dimmed" size="sm" className={classes.tenant} truncate title={account.tenant.name}>{account.tenant.name}</Text>}
          {status.data?.demo && (
            <Tooltip label={t('app.demoHint')} multiline maw={260}>
              <Badge variant="light" color="orange" radius="sm" c="var(--m-demo)" className={classes.demo}>{t('app.demo')}</Badge>
            </Tooltip>
          )}
        </Group>
        <Group gap={4} wrap="nowrap">
          <Navigation account={account} path={path} />
          <SchemeMenu />
          <ActionIcon variant="subtle" color="gray" size="lg" aria-label={t('app.help')} onClick={() => setHelp(true)} className={classes.wide}>
            <IconKeyboard size={20} aria-hidden />
          </ActionIcon>
          <AccountMenu account={account} />
        </Group>
      </header>
      <div className={classes.body}>
        {isAdministration(account.role, path) && <Administration account={account} path={path} />}
        <div ref={content} className={classes.content} id="content" tabIndex={-1}>
          {/* Operators and resellers see no mail: there is nothing to search. */}
          {above && path === '/' ? <Navigate to="/tenants" replace /> : <Suspense fallback={<PageLoading />}><Outlet /></Suspense>}
        </div>
      </div>
      <HelpDialog opened={help} onClose={() => setHelp(false)} />
    </div>
  );
}

// leave ends the session; that it has ended already is as good.
async function leave(): Promise<void> {
  try {
    await ask(logOut());
  } catch (error) {
    if (!hasCode(error, 'no-session')) {
      throw error;
    }
  }
}

function AccountMenu({ account }: { account: Account }) {
  const { t } = useTranslation();
  const out = useMutation({
    mutationFn: leave,
    onSuccess: () => {
      // Nothing of this session may be seen in the next one on the same screen.
      window.location.assign('/login');
      queries.removeQueries({ predicate: (q) => q.queryKey[0] !== 'account' && q.queryKey[0] !== 'status' });
    },
  });
  return (
    <Menu position="bottom-end" width={240} withinPortal>
      <Menu.Target>
        <UnstyledButton className={classes.person} aria-label={t('app.signedInAs', { name: account.name })}>
          <IconUserCircle size={24} stroke={1.6} aria-hidden />
          <VisuallyHidden>{t('app.menu')}</VisuallyHidden>
        </UnstyledButton>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>
          <Text size="sm" fw={600} c="var(--mantine-color-text)" truncate>{account.name}</Text>
          <Text size="xs" truncate>{account.login} · {t(`role.${account.role}`)}</Text>
        </Menu.Label>
        <Menu.Divider />
        <Menu.Item leftSection={<IconUser size={16} aria-hidden />} renderRoot={(props) => <Link to="/account" {...props} />}>{t('app.account')}</Menu.Item>
        <Menu.Item leftSection={<IconLogout size={16} aria-hidden />} onClick={() => out.mutate()} closeMenuOnClick={false}>{t('app.logOut')}</Menu.Item>
        {out.error && <FailureNote error={out.error} compact />}
      </Menu.Dropdown>
    </Menu>
  );
}
