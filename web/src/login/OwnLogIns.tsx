import { Stack } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';

import { FailureNote } from '../shell/Failure';
import { FactorsCard } from './FactorsCard';
import { PasswordCard } from './PasswordCard';
import { securityQuery } from './queries';
import { SessionsCard } from './SessionsCard';

// OwnLogIns is what somebody sees and changes of the own log-in.
export function OwnLogIns() {
  const security = useQuery(securityQuery);
  return (
    <Stack gap="lg">
      {security.error && <FailureNote error={security.error} retry={() => void security.refetch()} />}
      {security.data && (
        <>
          {security.data.has_password && <PasswordCard />}
          <FactorsCard security={security.data} />
          <SessionsCard security={security.data} />
        </>
      )}
    </Stack>
  );
}
