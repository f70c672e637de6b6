import { Alert, Button } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { IconAlertTriangle, IconLogin2 } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';

import { listLogInOffers, type LogInOffer } from '../api';
import { codes } from '../directories/codes';
import { ask } from '../failure';
import { plain } from '../format';

// useOffers asks what is offered to everybody at this address, and what the named
// customer has.
export function useOffers(tenant: string): readonly LogInOffer[] {
  const named = /^[a-z0-9-]{1,63}$/u.test(tenant) ? tenant : '';
  const offers = useQuery({
    queryKey: ['status', 'offers', named], // stays when others are forgotten at a log-in
    queryFn: ({ signal }) => ask(listLogInOffers({ query: named ? { tenant: named } : {}, signal })),
  });
  return offers.data?.offers ?? [];
}

// Providers offers to log in elsewhere. The server leads to next afterwards, if it is a
// page of its own.
export function Providers({ offers, next }: { offers: readonly LogInOffer[]; next: string | undefined }) {
  const { t } = useTranslation();
  return offers.map((o) => (
    <Button key={o.id} component="a" href={`/auth/oidc/start?directory=${encodeURIComponent(o.id)}${next ? `&next=${encodeURIComponent(next)}` : ''}`} variant="default" fullWidth leftSection={<IconLogin2 size={18} aria-hidden />}>
      {t('directories.logInWith', { name: plain(o.name) })}{o.tenant && ` (${plain(o.tenant)})`}
    </Button>
  ));
}

// ProviderTrouble says why a log-in elsewhere has not let anybody in.
export function ProviderTrouble({ code }: { code: string }) {
  const { t } = useTranslation();
  const known = codes.find((c) => c === code);
  return (
    <Alert color="red" variant="light" role="alert" mb="md" icon={<IconAlertTriangle aria-hidden />}>
      {code === 'too-many' ? t('login.tooMany') : known ? t(`directories.problem.${known}`) : t('directories.providerFailed')}
    </Alert>
  );
}
