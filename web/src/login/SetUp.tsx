import { Anchor, Button, Stack, Text, Title } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { IconDeviceMobile, IconFingerprint } from '@tabler/icons-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';

import { logOut, type Account, type FactorAdded } from '../api';
import { accountQuery, queries, statusQuery } from '../queries';
import { useTitle } from '../shell/usePage';
import { Door } from './Door';
import { canPasskey } from './passkey';
import { PasskeySetup } from './PasskeySetup';
import { RecoveryCodes } from './RecoveryCodes';
import { TotpSetup } from './TotpSetup';

// goOn asks who is logged in now: the session has its rights.
const goOn = () => void queries.resetQueries({ predicate: (q) => q.queryKey[0] !== 'status' });

// SetUp leads somebody whose role needs a second factor to set one up, before anything
// else.
export function SetUp({ account }: { account: Account }) {
  const { t } = useTranslation();
  useTitle(t('logins.setUpTitle'));
  const status = useQuery(statusQuery);
  const [way, setWay] = useState<'totp' | 'passkey'>();
  const [codes, setCodes] = useState<readonly string[]>();
  const added = (a: FactorAdded) => (a.recovery_codes.length > 0 ? setCodes(a.recovery_codes) : goOn());
  const leave = async () => {
    await logOut();
    queries.setQueryData(accountQuery.queryKey, null);
  };
  return (
    <Door>
      <Stack>
        <Title order={2} size="h4">{t('logins.setUpTitle')}</Title>
        {codes && <RecoveryCodes codes={codes} login={account.login} done={goOn} />}
        {!codes && !way && (
          <>
            <Text size="sm">{t('logins.setUpText', { name: account.name })}</Text>
            <Button variant="default" leftSection={<IconDeviceMobile size={18} aria-hidden />} onClick={() => setWay('totp')}>{t('logins.totp')}</Button>
            {canPasskey(status.data?.passkey_host) && (
              <Button variant="default" leftSection={<IconFingerprint size={18} aria-hidden />} onClick={() => setWay('passkey')}>{t('logins.passkey')}</Button>
            )}
          </>
        )}
        {!codes && way === 'totp' && <TotpSetup done={added} cancel={() => setWay(undefined)} />}
        {!codes && way === 'passkey' && <PasskeySetup done={added} cancel={() => setWay(undefined)} />}
        {!codes && <Anchor component="button" type="button" size="sm" onClick={() => void leave()}>{t('app.logOut')}</Anchor>}
      </Stack>
    </Door>
  );
}
