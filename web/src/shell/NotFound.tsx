import { Button, Center, Stack, Text, Title } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';

import { useTitle } from './usePage';

export function NotFound() {
  const { t } = useTranslation();
  useTitle(t('failure.notFoundTitle'));
  return (
    <Center component="main" mih="70vh" p="md">
      <Stack align="center">
        <Title order={1} size="h2">{t('failure.notFoundTitle')}</Title>
        <Text c="dimmed">{t('failure.notFoundHint')}</Text>
        <Button component={Link} to="/">{t('failure.home')}</Button>
      </Stack>
    </Center>
  );
}
