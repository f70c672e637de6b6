import { Alert, Button, Checkbox, Group, Paper, Stack, Text, Title } from '@mantine/core';
import { useMutation, useQuery } from '@tanstack/react-query';
import { IconInfoCircle } from '@tabler/icons-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';

import { changeLoginPolicy, type LoginPolicy } from '../api';
import { ask } from '../failure';
import { queries } from '../queries';
import { FailureNote } from '../shell/Failure';
import { Titled } from '../shell/ManualLink';
import { useAccount, useTitle } from '../shell/usePage';
import classes from './Logins.module.css';
import { policyQuery } from './queries';

const ofTenant = ['tenant-admin', 'auditor', 'dpo', 'user'] as const;
const ofInstallation = ['operator', 'reseller'] as const;

// PolicyPage says which roles have to have a second factor.
export function PolicyPage() {
  const { t } = useTranslation();
  useTitle(t('logins.policyTitle'));
  const role = useAccount().role;
  const allowed = role === 'tenant-admin' || role === 'operator';
  const policy = useQuery({ ...policyQuery, enabled: allowed });
  return (
    <main className={classes.page}>
      <Titled><Title order={1} size="h2" mb="lg">{t('logins.policyTitle')}</Title></Titled>
      {!allowed && <Text role="alert">{t('logins.policyForbidden')}</Text>}
      {policy.error && <FailureNote error={policy.error} retry={() => void policy.refetch()} />}
      {policy.data && <Policy policy={policy.data} roles={role === 'operator' ? ofInstallation : ofTenant} />}
    </main>
  );
}

function Policy({ policy, roles }: { policy: LoginPolicy; roles: readonly (typeof ofTenant | typeof ofInstallation)[number][] }) {
  const { t } = useTranslation();
  const [chosen, setChosen] = useState<readonly string[]>(policy.second_factor);
  const change = useMutation({
    mutationFn: (second_factor: string[]) => ask<LoginPolicy>(changeLoginPolicy({ body: { second_factor } })),
    onSuccess: (data) => {
      queries.setQueryData(policyQuery.queryKey, data);
      void queries.invalidateQueries({ queryKey: ['account'] }); // it may concern whoever has set it
    },
  });
  const toggle = (role: string, on: boolean) => {
    change.reset();
    setChosen((list) => (on ? [...list, role] : list.filter((r) => r !== role)));
  };
  return (
    <Paper withBorder p="lg" radius="md" className={classes.card}>
      <Stack>
        <Checkbox.Group label={t('logins.policyLabel')} description={t('logins.policyText')} value={[...chosen]}>
          <Stack gap="xs" mt="sm">
            {roles.map((r) => <Checkbox key={r} value={r} label={t(`logins.roles.${r}`)} onChange={(e) => toggle(r, e.currentTarget.checked)} />)}
          </Stack>
        </Checkbox.Group>
        <Alert variant="light" color="blue" icon={<IconInfoCircle size={18} aria-hidden />}>{t('logins.policyEffect')}</Alert>
        {change.error && <FailureNote error={change.error} compact />}
        <Group>
          <Button loading={change.isPending} onClick={() => change.mutate([...chosen])}>{t('logins.save')}</Button>
          <Text size="sm" c="dimmed" role="status">{change.isSuccess ? t('account.saved') : ''}</Text>
        </Group>
      </Stack>
    </Paper>
  );
}
