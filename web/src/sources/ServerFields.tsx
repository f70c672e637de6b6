import { PasswordInput, TextInput } from '@mantine/core';
import { useTranslation } from 'react-i18next';

import type { FieldProps } from './MailboxForm';
import classes from './Sources.module.css';

// ServerFields are what everybody has to enter.
export function ServerFields({ draft, change, wrong, stored }: FieldProps & { stored: boolean }) {
  const { t } = useTranslation();
  return (
    <>
      <TextInput label={t('sources.host')} description={t('sources.hostHint')} required value={draft.host} maxLength={253} autoCapitalize="none" spellCheck={false}
        onChange={(e) => change({ host: e.currentTarget.value })} error={wrong('host')} />
      <div className={classes.fields}>
        <TextInput label={t('sources.user')} required value={draft.user} maxLength={320} autoCapitalize="none" spellCheck={false} autoComplete="off"
          onChange={(e) => change({ user: e.currentTarget.value })} error={wrong('user')} />
        <PasswordInput label={t(draft.oauth === 'password' ? 'sources.password' : 'sources.token')} required={!stored} value={draft.password} maxLength={4096} autoComplete="new-password"
          inputWrapperOrder={['label', 'input', 'description', 'error']}
          {...(stored && { description: t('sources.passwordKeep'), placeholder: t('sources.passwordSet') })}
          visibilityToggleButtonProps={{ 'aria-hidden': true, tabIndex: -1 }}
          onChange={(e) => change({ password: e.currentTarget.value })} error={wrong('password')} />
      </div>
    </>
  );
}
