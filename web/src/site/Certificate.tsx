import { Alert, Anchor, Button, Group, Loader, Stack, Text } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { IconAlertTriangle, IconCheck, IconInfoCircle } from '@tabler/icons-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';

import { obtainCertificate, type SiteState } from '../api';
import { ask } from '../failure';
import { formatDateTime } from '../format';
import { queries } from '../queries';
import { FailureNote } from '../shell/Failure';
import { siteQuery } from './queries';

const soon = 14 * 86_400_000;

// Certificate says how the certificate in force fares.
export function Certificate({ state }: { state: SiteState }) {
  const { t, i18n } = useTranslation();
  const [now] = useState(() => Date.now());
  const again = useMutation({
    mutationFn: () => ask(obtainCertificate()),
    onSuccess: () => queries.setQueryData(siteQuery.queryKey, (old) => old && { ...old, obtaining: true }),
  });
  const { site, names, not_after: end, problem, obtaining, address } = state;
  const left = end ? Date.parse(end) - now : 0;
  return (
    <Stack gap="xs">
      {address && <Text size="sm">{t('site.address')} <Anchor href={address}>{address}</Anchor></Text>}
      {end && (
        <Group gap={6} wrap="nowrap" align="flex-start">
          {left > soon ? <IconCheck size={18} aria-hidden /> : <IconAlertTriangle size={18} aria-hidden />}
          <Text size="sm">{t(left > 0 ? 'site.until' : 'site.ended', { names: (names ?? []).join(', '), date: formatDateTime(end, i18n.language), issuer: state.issuer })}</Text>
        </Group>
      )}
      {obtaining && <Group gap="xs" role="status"><Loader size="xs" aria-hidden /><Text size="sm">{t('site.obtaining')}</Text></Group>}
      {problem && !obtaining && (
        <Alert variant="light" color="red" role="alert" icon={<IconAlertTriangle aria-hidden />} title={t('site.problem')}>
          <Text size="sm">{t('site.problemHint', { host: site.host })}</Text>
          <Text size="sm" component="code" display="block" mt={6} style={{ overflowWrap: 'anywhere' }}>{problem}</Text>
        </Alert>
      )}
      {site.tls === 'acme' && !obtaining && (problem || !end) && <div><Button size="compact-sm" variant="default" loading={again.isPending} onClick={() => again.mutate()}>{t('site.again')}</Button></div>}
      {again.error && <FailureNote error={again.error} compact />}
      {site.tls === 'off' && !state.fixed && <Alert variant="light" color="orange" c="var(--m-demo)" icon={<IconInfoCircle size={18} aria-hidden />} py={8}>{t('site.plain')}</Alert>}
      {state.fixed && <Text size="sm" c="dimmed">{t('site.fixed')}</Text>}
    </Stack>
  );
}
