import { ActionIcon, Badge, Button, Group, Paper, Stack, Text, Title } from '@mantine/core';
import { useMutation, useQuery } from '@tanstack/react-query';
import { IconDeviceMobile, IconFingerprint, IconKey, IconPencil, IconTrash } from '@tabler/icons-react';
import { useState, type ReactNode } from 'react';
import { useTranslation } from 'react-i18next';

import { newRecoveryCodes, removeFactor, type Factor, type FactorAdded, type RecoveryCodes as Codes, type Security } from '../api';
import { ask, hasCode } from '../failure';
import { formatDateTime } from '../format';
import { statusQuery } from '../queries';
import { useAccount } from '../shell/usePage';
import { Confirm } from './Confirm';
import classes from './Logins.module.css';
import { canPasskey } from './passkey';
import { PasskeySetup } from './PasskeySetup';
import { secured } from './queries';
import { RecoveryCodes } from './RecoveryCodes';
import { Rename } from './Rename';
import { TotpSetup } from './TotpSetup';
import { Trouble } from './Trouble';

// FactorsCard shows what proves the user besides the password, and changes it.
export function FactorsCard({ security }: { security: Security }) {
  const { t } = useTranslation();
  const account = useAccount();
  const status = useQuery(statusQuery);
  const [adding, setAdding] = useState<'totp' | 'passkey'>();
  const [codes, setCodes] = useState<readonly string[]>();
  const added = (a: FactorAdded) => {
    setAdding(undefined);
    setCodes(a.recovery_codes.length > 0 ? a.recovery_codes : undefined);
    secured();
  };
  const some = security.totp !== undefined || security.passkeys.length > 0;
  return (
    <Paper withBorder p="lg" radius="md" component="section" aria-labelledby="factors" className={classes.card}>
      <Group justify="space-between" mb="xs">
        <Title order={2} size="h4" id="factors">{t('logins.factors')}</Title>
        <Badge variant="light" tt="none" color={some ? 'green' : 'gray'} c="var(--mantine-color-text)">{t(some ? 'logins.on' : 'logins.off')}</Badge>
      </Group>
      <Text size="sm" c="dimmed" mb="md">{t(security.required ? 'logins.factorsRequired' : 'logins.factorsText')}</Text>
      <Stack>
        {codes && <RecoveryCodes codes={codes} login={account.login} done={() => setCodes(undefined)} />}
        {!codes && adding === 'totp' && <TotpSetup done={added} cancel={() => setAdding(undefined)} />}
        {!codes && adding === 'passkey' && <PasskeySetup done={added} cancel={() => setAdding(undefined)} />}
        {!codes && !adding && (
          <>
            <FactorList security={security} />
            {some && <CodesLeft left={security.recovery_codes} show={setCodes} />}
            <Group>
              <Button variant="default" leftSection={<IconDeviceMobile size={18} aria-hidden />} onClick={() => setAdding('totp')}>{t(security.totp ? 'logins.totpReplace' : 'logins.totpAdd')}</Button>
              {canPasskey(status.data?.passkey_host) && (
                <Button variant="default" leftSection={<IconFingerprint size={18} aria-hidden />} onClick={() => setAdding('passkey')}>{t('logins.passkeyAdd')}</Button>
              )}
            </Group>
            {!canPasskey(status.data?.passkey_host) && <Text size="xs" c="dimmed">{t('logins.noPasskeysHere')}</Text>}
          </>
        )}
      </Stack>
    </Paper>
  );
}

function FactorList({ security }: { security: Security }) {
  const { t } = useTranslation();
  const remove = useMutation({ mutationFn: (id: string) => ask(removeFactor({ path: { id } })), onSuccess: secured });
  const retry = () => {
    if (remove.variables !== undefined) {
      remove.mutate(remove.variables);
    }
  };
  const last = hasCode(remove.error, 'invalid');
  return (
    <>
      <Confirm error={remove.error} retry={retry} cancel={() => remove.reset()} />
      {last ? <Text size="sm" c="red" role="alert">{t('logins.lastFactor')}</Text> : <Trouble error={remove.error} />}
      <ul className={classes.rows}>
        {security.totp && <Row factor={security.totp} icon={<IconDeviceMobile size={20} aria-hidden />} name={t('logins.totp')} remove={remove.mutate} />}
        {security.passkeys.map((f) => (
          <Row key={f.id} factor={f} icon={<IconFingerprint size={20} aria-hidden />} name={f.name || t('logins.passkey')} remove={remove.mutate} renamed />
        ))}
      </ul>
    </>
  );
}

type RowProps = { factor: Factor; icon: ReactNode; name: string; remove: (id: string) => void; renamed?: boolean };

function Row({ factor, icon, name, remove, renamed }: RowProps) {
  const { t, i18n } = useTranslation();
  const [renaming, setRenaming] = useState(false);
  const zone = useAccount().tenant?.zone;
  const at = (date: string) => formatDateTime(date, i18n.language, zone);
  return (
    <li className={classes.row}>
      <Group gap="sm" wrap="nowrap" className={classes.grow}>
        {icon}
        <div>
          <Text size="sm" fw={600}>{name}</Text>
          <Text size="xs" c="dimmed">{t('logins.since', { date: at(factor.created_at) })} · {factor.used_at ? t('logins.used', { date: at(factor.used_at) }) : t('logins.neverUsed')}</Text>
        </div>
      </Group>
      <Group gap={4} wrap="nowrap">
        {renamed && <ActionIcon variant="subtle" color="gray" aria-label={t('logins.rename', { name })} onClick={() => setRenaming(true)}><IconPencil size={18} aria-hidden /></ActionIcon>}
        <ActionIcon variant="subtle" color="gray" aria-label={t('logins.remove', { name })} onClick={() => remove(factor.id)}><IconTrash size={18} aria-hidden /></ActionIcon>
      </Group>
      {renaming && <Rename id={factor.id} name={factor.name} close={() => setRenaming(false)} />}
    </li>
  );
}

function CodesLeft({ left, show }: { left: number; show: (codes: readonly string[]) => void }) {
  const { t } = useTranslation();
  const make = useMutation({
    mutationFn: () => ask<Codes>(newRecoveryCodes()),
    onSuccess: (data) => {
      show(data.codes);
      secured();
    },
  });
  return (
    <div>
      <Confirm error={make.error} retry={() => make.mutate()} cancel={() => make.reset()} />
      <Trouble error={make.error} />
      <Group justify="space-between" gap="sm">
        <Group gap="sm" wrap="nowrap">
          <IconKey size={20} aria-hidden />
          <div>
            <Text size="sm" fw={600}>{t('logins.recoveryCodes')}</Text>
            <Text size="xs" c={left < 3 ? 'red' : 'dimmed'}>{t('logins.codesLeft', { count: left })}</Text>
          </div>
        </Group>
        <Button variant="subtle" size="xs" loading={make.isPending} onClick={() => make.mutate()}>{t('logins.codesNew')}</Button>
      </Group>
    </div>
  );
}
