import { Alert, Button, Group, NativeSelect, PasswordInput, Text, Textarea, TextInput } from '@mantine/core';
import { IconCircleCheck } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';

import { logInWays, wayOf, type LogInWay } from './draft';
import type { FieldProps } from './MailboxForm';
import classes from './Sources.module.css';

type Props = FieldProps & {
  stored: boolean; // a password or log-in is kept
  begin: () => void; // asks for a code
  beginning: boolean;
};

const hosts: Partial<Record<LogInWay, string>> = {
  'microsoft-client': 'outlook.office365.com', 'microsoft-device': 'outlook.office365.com', 'google-client': 'imap.gmail.com', 'google-device': 'imap.gmail.com',
};

// LogInFields say how the archive gets into the mailbox.
export function LogInFields(props: Props) {
  const { draft, change, wrong } = props;
  const { t } = useTranslation();
  const way = wayOf(draft);
  const choose = (value: string) => {
    const chosen = logInWays.find((w) => w === value) ?? 'password';
    const [oauth, method] = chosen.split('-');
    const host = hosts[chosen];
    change({
      oauth: oauth === 'microsoft' || oauth === 'google' ? oauth : 'password', method: method === 'client' || method === 'device' ? method : '', password: '', logIn: '',
      ...(host && draft.host === '' && { host }),
    });
  };
  return (
    <>
      <NativeSelect label={t('sources.oauth')} value={way} error={wrong('oauth') || wrong('method')} onChange={(e) => choose(e.currentTarget.value)}
        data={logInWays.map((value) => ({ value, label: t(`mailLogIn.ways.${value}`) }))} />
      {way !== 'password' && way !== 'microsoft' && way !== 'google' && <Text size="sm" c="dimmed">{t(`mailLogIn.hints.${way}`)}</Text>}
      {draft.method !== '' && way !== 'google-client' && <Application {...props} />}
      {draft.method === 'device' ? <Device {...props} /> : <Secret {...props} />}
    </>
  );
}

// Application is what was registered with the provider.
function Application({ draft, change, wrong }: FieldProps) {
  const { t } = useTranslation();
  return (
    <div className={classes.fields}>
      {draft.oauth === 'microsoft' && (
        <TextInput label={t('mailLogIn.directory')} description={t('mailLogIn.directoryHint')} required={draft.method === 'client'} value={draft.directory} maxLength={253} autoCapitalize="none" spellCheck={false}
          onChange={(e) => change({ directory: e.currentTarget.value, logIn: '' })} error={wrong('directory')} />
      )}
      <TextInput label={t('mailLogIn.clientId')} description={t('mailLogIn.clientIdHint')} required value={draft.clientId} maxLength={200} autoCapitalize="none" spellCheck={false}
        onChange={(e) => change({ clientId: e.currentTarget.value, logIn: '' })} error={wrong('client_id')} />
    </div>
  );
}

function Secret({ draft, change, wrong, stored }: Props) {
  const { t } = useTranslation();
  const kept = stored && { description: t('sources.passwordKeep'), placeholder: t('sources.passwordSet') };
  if (wayOf(draft) === 'google-client') {
    return (
      <Textarea label={t('mailLogIn.serviceKey')} required={!stored} value={draft.password} maxLength={4096} minRows={3} maxRows={6} autosize spellCheck={false} autoComplete="off" {...kept}
        onChange={(e) => change({ password: e.currentTarget.value })} error={wrong('password')} />
    );
  }
  const label = draft.method === 'client' ? t('mailLogIn.clientSecret') : t(draft.oauth === 'password' ? 'sources.password' : 'sources.token');
  return (
    <PasswordInput label={label} required={!stored} value={draft.password} maxLength={4096} autoComplete="new-password"
      inputWrapperOrder={['label', 'input', 'description', 'error']} {...kept}
      visibilityToggleButtonProps={{ 'aria-hidden': true, tabIndex: -1 }}
      onChange={(e) => change({ password: e.currentTarget.value })} error={wrong('password')} />
  );
}

function Device({ draft, change, wrong, stored, begin, beginning }: Props) {
  const { t } = useTranslation();
  const problem = wrong('log_in');
  return (
    <>
      {draft.oauth === 'google' && (
        <PasswordInput label={t('mailLogIn.clientSecret')} value={draft.password} maxLength={4096} autoComplete="new-password" visibilityToggleButtonProps={{ 'aria-hidden': true, tabIndex: -1 }}
          onChange={(e) => change({ password: e.currentTarget.value })} />
      )}
      {draft.logIn !== '' && <Alert variant="light" color="teal" role="status" py={8} icon={<IconCircleCheck aria-hidden />}>{t('mailLogIn.done')}</Alert>}
      <Group gap="sm">
        <Button variant={draft.logIn === '' && !stored ? 'filled' : 'default'} loading={beginning} onClick={begin}>{t(stored || draft.logIn !== '' ? 'mailLogIn.again' : 'mailLogIn.begin')}</Button>
        {draft.logIn === '' && stored && <Text size="sm" c="dimmed">{t('mailLogIn.kept')}</Text>}
      </Group>
      {problem && <Text size="sm" c="var(--mantine-color-error)" role="alert">{problem}</Text>}
    </>
  );
}
