import { Alert } from '@mantine/core';
import { IconAlertTriangle } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';

import { Failure } from '../failure';
import { FailureNote } from '../shell/Failure';

const fields = { 'body.name': 'retention.name', 'body.reason': 'access.reason', 'body.covert': 'access.covertReason', 'body.addresses': 'access.addresses' } as const;

// Mistake says what the server found wrong with what was typed.
export function Mistake({ error }: { error: unknown }) {
  const { t } = useTranslation();
  if (!(error instanceof Failure) || (error.code !== 'invalid' && error.code !== 'query')) {
    return <FailureNote error={error} compact />;
  }
  const words = ({ location, message }: { location?: string; message: string }) => {
    const field = location !== undefined && location in fields ? t(fields[location as keyof typeof fields]) : '';
    const least = /^expected (?:length|array length) >= (\d+)$/u.exec(message)?.[1];
    return field && least ? `${field}: ${t('retention.atLeast', { count: Number(least) })}` : message;
  };
  return (
    <Alert variant="light" color="red" role="alert" icon={<IconAlertTriangle aria-hidden />} title={t('access.invalid')}>
      {error.problem?.errors?.map((e) => <div key={`${e.location} ${e.message}`}>{words(e)}</div>) ?? error.problem?.detail}
    </Alert>
  );
}
