import { TextInput } from '@mantine/core';
import { useTranslation } from 'react-i18next';

import type { FieldProps } from './MailboxForm';
import classes from './Sources.module.css';

// ServerFields are what everybody has to enter.
export function ServerFields({ draft, change, wrong }: FieldProps) {
  const { t } = useTranslation();
  return (
    <div className={classes.fields}>
      <TextInput label={t('sources.host')} description={t('sources.hostHint')} inputWrapperOrder={['label', 'input', 'description', 'error']} required value={draft.host} maxLength={253} autoCapitalize="none" spellCheck={false}
        onChange={(e) => change({ host: e.currentTarget.value })} error={wrong('host')} />
      <TextInput label={t('sources.user')} description={t('sources.userHint')} inputWrapperOrder={['label', 'input', 'description', 'error']} required value={draft.user} maxLength={320} autoCapitalize="none" spellCheck={false} autoComplete="off"
        onChange={(e) => change({ user: e.currentTarget.value })} error={wrong('user')} />
    </div>
  );
}
