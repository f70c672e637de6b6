import { Alert } from '@mantine/core';
import { IconAlertTriangle } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';

import { hasCode } from '../failure';
import { FailureNote } from '../shell/Failure';
import { Abandoned } from './passkey';

const explained = ['factor', 'step-ended', 'password', 'link', 'no-passkeys'] as const;

// Trouble says what went wrong with a log-in or with what proves somebody.
export function Trouble({ error, passkey }: { error: unknown; passkey?: boolean }) {
  const { t } = useTranslation();
  if (!error || hasCode(error, 'confirm-needed')) { // which asks for the password instead
    return null;
  }
  const code = explained.find((c) => hasCode(error, c));
  const text = error instanceof Abandoned ? t('logins.trouble.abandoned')
    : passkey && hasCode(error, 'login') ? t('logins.trouble.passkey')
    : hasCode(error, 'too-many') ? t('logins.trouble.often')
    : code ? t(`logins.trouble.${code}`) : undefined;
  if (text === undefined) {
    return <FailureNote error={error} compact />;
  }
  return <Alert color="red" variant="light" role="alert" icon={<IconAlertTriangle aria-hidden />}>{text}</Alert>;
}
