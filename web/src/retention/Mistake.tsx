import { Alert } from '@mantine/core';
import { IconAlertTriangle } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';

import { Failure } from '../failure';
import { mistakesOf } from '../fields';
import { FailureNote } from '../shell/Failure';

// Mistake says what the server found wrong with what was typed.
export function Mistake({ error }: { error: unknown }) {
  const { t } = useTranslation();
  if (!(error instanceof Failure) || (error.code !== 'invalid' && error.code !== 'query')) {
    return <FailureNote error={error} compact />;
  }
  const texts = mistakesOf(t, error.problem);
  return (
    <Alert variant="light" color="red" role="alert" icon={<IconAlertTriangle aria-hidden />} title={t('access.invalid')}>
      {texts.length > 0 ? texts.map((text) => <div key={text}>{text}</div>) : error.problem?.detail}
    </Alert>
  );
}
