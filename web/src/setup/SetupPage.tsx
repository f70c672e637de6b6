import { Alert, Anchor, Button, Group, List, Paper, Stack, Stepper, Text, Title } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link, Navigate } from '@tanstack/react-router';
import { IconInfoCircle } from '@tabler/icons-react';
import { useState, type ReactNode } from 'react';
import { useTranslation } from 'react-i18next';

import { AuthoritiesForm } from '../evidence/AuthoritiesForm';
import { sealingQuery } from '../evidence/queries';
import { speak } from '../i18n';
import { accountQuery, smarthostQuery, statusQuery } from '../queries';
import { FailureNote, PageLoading } from '../shell/Failure';
import { Logo } from '../shell/Logo';
import { Titled } from '../shell/ManualLink';
import { SchemeMenu } from '../shell/SchemeMenu';
import { useTitle } from '../shell/usePage';
import { Certificate } from '../site/Certificate';
import { siteQuery } from '../site/queries';
import { SiteForm } from '../site/SiteForm';
import { SmarthostForm } from '../smarthost/SmarthostForm';
import { OperatorForm } from './OperatorForm';
import classes from './Setup.module.css';

// The last step may lead to another address and to TLS, where the session of this one
// does not hold.
const steps = ['operator', 'mail', 'stamps', 'backup', 'site'] as const;

// SetupPage leads through the first start. Only its first step changes what cannot be
// changed later on the other pages; the others can be passed over.
export function SetupPage() {
  const { t, i18n } = useTranslation();
  useTitle(t('setup.title'));
  const status = useQuery(statusQuery);
  const account = useQuery(accountQuery);
  const [step, setStep] = useState(0);
  const [founded, setFounded] = useState(false);
  if (!status.data || account.isPending) {
    return status.error ? <main className={classes.main}><FailureNote error={status.error} retry={() => void status.refetch()} /></main> : <PageLoading />;
  }
  if (!status.data.setup && !founded) { // there is an operator, who has pages for all of it
    return <Navigate to="/login" replace />;
  }
  const other = i18n.resolvedLanguage === 'de' ? 'en' : 'de';
  const next = () => setStep((n) => Math.min(n + 1, steps.length));
  return (
    <div className={classes.page}>
      <div className={classes.corner}>
        <Anchor component="button" type="button" size="sm" lang={other} onClick={() => speak(other)}>{t(`language.${other}`)}</Anchor>
        <SchemeMenu />
      </div>
      <main className={classes.main}>
        <Group gap="sm" mb={4}><Logo size={36} /><Titled><Title order={1} size="h2">{t('setup.title')}</Title></Titled></Group>
        <Text c="dimmed" mb="lg">{t('setup.intro')}</Text>
        <Stepper active={step} size="sm" iconSize={28} wrap={false} mb="lg" classNames={{ separator: classes.between }} allowNextStepsSelect={false} {...(founded && { onStepClick: (n: number) => n > 0 && setStep(n) })}>
          {steps.map((s) => <Stepper.Step key={s} label={t(`setup.step.${s}`)} classNames={{ stepBody: classes.label }} />)}
        </Stepper>
        <Paper withBorder p="lg" radius="md" className={classes.card}>
          {steps[step] === 'operator' && <OperatorForm founded={() => { setFounded(true); next(); }} />}
          {steps[step] === 'mail' && <MailStep next={next} />}
          {steps[step] === 'stamps' && <StampStep next={next} />}
          {steps[step] === 'backup' && <BackupStep next={next} />}
          {steps[step] === 'site' && <SiteStep next={next} />}
          {step === steps.length && <Done />}
        </Paper>
      </main>
    </div>
  );
}

type StepProps = { title: string; hint: string; children: ReactNode; next: () => void; nextText?: string | undefined; saved?: unknown };

// Step asks before it leaves what was typed in behind: many take "continue" for "save".
// It knows what is stored at present; once that is another, what was typed in is stored.
function Step({ title, hint, children, next, nextText, saved }: StepProps) {
  const { t } = useTranslation();
  const [touched, setTouched] = useState<unknown>();
  const [asking, setAsking] = useState(false);
  const unsaved = touched !== undefined && touched === saved;
  return (
    <Stack gap="md">
      <div><Title order={2} size="h4">{title}</Title><Text size="sm" c="dimmed">{hint}</Text></div>
      <Stack gap="md" onChange={() => setTouched(saved)}>{children}</Stack>
      {asking && unsaved && (
        <Alert variant="light" color="orange" role="alert" icon={<IconInfoCircle size={18} aria-hidden />}>
          <Text size="sm" mb="xs">{t('setup.unsaved')}</Text>
          <Button size="xs" variant="default" onClick={next}>{t('setup.leave')}</Button>
        </Alert>
      )}
      <Group justify="flex-end"><Button variant="default" onClick={() => (unsaved ? setAsking(true) : next())}>{nextText ?? t('setup.next')}</Button></Group>
    </Stack>
  );
}

function MailStep({ next }: { next: () => void }) {
  const { t } = useTranslation();
  const state = useQuery(smarthostQuery);
  return (
    <Step title={t('setup.step.mail')} hint={t('setup.mailHint')} next={next} saved={state.data}>
      {state.error && <FailureNote error={state.error} retry={() => void state.refetch()} />}
      {state.data && <SmarthostForm state={state.data} />}
    </Step>
  );
}

function StampStep({ next }: { next: () => void }) {
  const { t } = useTranslation();
  const state = useQuery(sealingQuery);
  const none = state.data?.authorities.length === 0;
  return (
    <Step title={t('setup.step.stamps')} hint={t('setup.stampHint')} next={next} nextText={none ? t('setup.noStamps') : undefined} saved={state.data?.authorities}>
      {state.error && <FailureNote error={state.error} retry={() => void state.refetch()} />}
      {none && <Alert variant="light" color="gray" icon={<IconInfoCircle size={18} aria-hidden />} py={8}>{t('setup.noStampsMean')}</Alert>}
      {state.data && <AuthoritiesForm key={JSON.stringify(state.data.authorities)} sealing={state.data} />}
    </Step>
  );
}

// BackupStep says what is to be backed up. The archive makes no backups itself, so there
// is nothing to be set.
function BackupStep({ next }: { next: () => void }) {
  const { t } = useTranslation();
  return (
    <Step title={t('setup.step.backup')} hint={t('setup.backupHint')} next={next}>
      <List spacing="xs" size="sm">
        <List.Item>{t('setup.backupData')}</List.Item>
        <List.Item>{t('setup.keyCopy')} <code>instance.key</code></List.Item>
        <List.Item>{t('setup.backupReport')} <code>muniment backup report</code></List.Item>
      </List>
    </Step>
  );
}

function SiteStep({ next }: { next: () => void }) {
  const { t } = useTranslation();
  const state = useQuery(siteQuery);
  return (
    <Step title={t('setup.step.site')} hint={t('site.intro')} next={next} saved={state.data}>
      {state.error && <FailureNote error={state.error} retry={() => void state.refetch()} />}
      {state.data && <><Certificate state={state.data} /><SiteForm state={state.data} /></>}
    </Step>
  );
}

function Done() {
  const { t } = useTranslation();
  const state = useQuery(siteQuery);
  const sealing = useQuery(sealingQuery);
  return (
    <Stack gap="md">
      <Title order={2} size="h4">{t('setup.doneTitle')}</Title>
      <List spacing="xs" size="sm">
        <List.Item>{t('setup.keyCopy')} <code>instance.key</code></List.Item>
        <List.Item>{t('setup.tenant')} <Anchor inherit renderRoot={(props) => <Link to="/tenants" {...props} />}>{t('tenants.title')}</Anchor></List.Item>
        {sealing.data?.authorities.length === 0 && <List.Item>{t('setup.stamps')} <Anchor inherit renderRoot={(props) => <Link to="/sealing" {...props} />}>{t('evidence.sealing')}</Anchor></List.Item>}
        <List.Item>{t('setup.backup')}</List.Item>
      </List>
      {state.data?.address && !state.data.address.startsWith(window.location.origin) && (
        <Alert variant="light" icon={<IconInfoCircle size={18} aria-hidden />}>{t('setup.moved')} <Anchor href={state.data.address}>{state.data.address}</Anchor></Alert>
      )}
      <div><Button component={Link} to="/tenants">{t('setup.open')}</Button></div>
    </Stack>
  );
}
