import { Alert } from '@mantine/core';
import { IconAlertTriangle } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';

import { Failure } from '../failure';
import { FailureNote } from '../shell/Failure';

// Mistake says what the server found wrong with what was typed.
export function Mistake({ error }: { error: unknown }) {
  const { t } = useTranslation();
  if (!(error instanceof Failure) || error.code !== 'invalid') {
    return <FailureNote error={error} compact />;
  }
  return (
    <Alert variant="light" color="red" role="alert" icon={<IconAlertTriangle aria-hidden />} title={t('access.invalid')}>
      {error.problem?.errors?.map((e) => <div key={e.message}>{e.message}</div>) ?? error.problem?.detail}
    </Alert>
  );
}
