import { Alert, Button, Group, Text } from '@mantine/core';
import { useMutation, useQuery } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { IconEye } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';

import { endAccess, type AccessRequest } from '../api';
import { ask } from '../failure';
import { formatDateTime, plain } from '../format';
import { FailureNote } from '../shell/Failure';
import { useAccount } from '../shell/usePage';
import classes from './Access.module.css';
import { requestQuery, settled } from './queries';

// GrantBanner says whose mail the reader reads, why and until when.
export function GrantBanner({ id }: { id: string }) {
  const { t, i18n } = useTranslation();
  const zone = useAccount().tenant?.zone;
  const navigate = useNavigate();
  const request = useQuery(requestQuery(id));
  const end = useMutation({
    mutationFn: () => ask<AccessRequest>(endAccess({ path: { id } })),
    onSuccess: () => {
      settled();
      void navigate({ to: '/access' });
    },
  });
  const r = request.data;
  return (
    <div className={classes.banner} role="status">
      {request.error && <FailureNote error={request.error} compact />}
      {end.error && <FailureNote error={end.error} compact />}
      {r && (
        <Alert variant="light" color="orange" c="var(--m-demo)" icon={<IconEye size={18} aria-hidden />} py={8}>
          <Group justify="space-between" gap="xs">
            <Text size="sm" className={classes.breakable} style={{ flex: 1, minWidth: 240 }}>
              {t('access.banner', { addresses: r.addresses.length > 0 ? r.addresses.map(plain).join(', ') : t('access.everybody'), reason: plain(r.reason), date: formatDateTime(r.until, i18n.language, zone) })}
            </Text>
            <Group gap="xs">
              <Button size="xs" variant="default" renderRoot={(props) => <Link to="/access" {...props} />}>{t('access.leave')}</Button>
              <Button size="xs" variant="default" loading={end.isPending} onClick={() => end.mutate()}>{t('access.end')}</Button>
            </Group>
          </Group>
        </Alert>
      )}
    </div>
  );
}
