import { ActionIcon, Alert, Button, Checkbox, Group, Modal, Paper, Stack, Text, TextInput, Title } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { IconInfoCircle, IconPlus, IconTrash } from '@tabler/icons-react';
import { useState, type FormEvent } from 'react';
import { useTranslation } from 'react-i18next';

import { addUserAddress, removeUserAddress, type User } from '../api';
import { ask } from '../failure';
import { formatNumber } from '../format';
import { FailureNote } from '../shell/Failure';
import { changed } from './queries';
import classes from './Users.module.css';
import { hasTaken, wrongOf } from './wrong';

type Effect = { address: string; added: boolean; before: User['sees'] };

// AddressPanel lists whose mail a user sees, and says what a change does.
export function AddressPanel({ user }: { user: User }) {
  const { t } = useTranslation();
  const [removing, setRemoving] = useState<string>();
  const [effect, setEffect] = useState<Effect>();
  return (
    <Paper withBorder p="lg" radius="md" className={classes.panel}>
      <Stack gap="md">
        <div>
          <Title order={2} size="h5">{t('users.addresses')}</Title>
          <Text size="sm" c="dimmed">{t('users.addressIntro')}</Text>
        </div>
        <Sees user={user} />
        {user.addresses.length > 0 && (
          <ul className={classes.addresses} aria-label={t('users.addresses')}>
            {user.addresses.map((a) => (
              <li key={a}>
                <span>{a}</span>
                <ActionIcon variant="subtle" color="gray" onClick={() => setRemoving(a)} aria-label={t('users.removeAddress', { address: a })}><IconTrash size={18} aria-hidden /></ActionIcon>
              </li>
            ))}
          </ul>
        )}
        <AddAddress user={user} done={setEffect} />
        <div role="status">{effect && <EffectNote user={user} effect={effect} />}</div>
      </Stack>
      {removing !== undefined && <RemoveAddress user={user} address={removing} done={setEffect} close={() => setRemoving(undefined)} />}
    </Paper>
  );
}

function useCount(): (sees: User['sees']) => string {
  const { t, i18n } = useTranslation();
  return (sees) => {
    const number = formatNumber(sees?.count ?? 0, i18n.language);
    return t('users.messages', { count: sees?.count ?? 0, number: sees?.exact === false ? `${number}+` : number });
  };
}

function Sees({ user }: { user: User }) {
  const { t } = useTranslation();
  const count = useCount();
  return <Text size="sm" fw={600}>{user.sees ? t('users.sees', { messages: count(user.sees) }) : t('users.seesUnknown')}</Text>;
}

function EffectNote({ user, effect }: { user: User; effect: Effect }) {
  const { t } = useTranslation();
  const count = useCount();
  return (
    <Alert variant="light" color="green" icon={<IconInfoCircle size={18} aria-hidden />}>
      {t(effect.added ? 'users.added' : 'users.removed', { address: effect.address })}{' '}
      {user.sees && effect.before && t('users.effect', { before: count(effect.before), after: count(user.sees) })}
    </Alert>
  );
}

function AddAddress({ user, done }: { user: User; done: (e: Effect) => void }) {
  const { t } = useTranslation();
  const [address, setAddress] = useState('');
  const [shared, setShared] = useState(false);
  const add = useMutation({
    mutationFn: () => ask<User>(addUserAddress({ path: { id: user.id }, body: { address: address.trim(), shared } })),
    onSuccess: (u) => {
      done({ address: address.trim(), added: true, before: user.sees });
      setAddress('');
      setShared(false);
      changed(u);
    },
  });
  const wrong = wrongOf(t, add.error)['address'];
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (address.trim() !== '') add.mutate();
  };
  return (
    <form onSubmit={submit} noValidate>
      <Stack gap="xs">
        <Group align="flex-start" gap="md">
          <TextInput flex="1 1 240px" type="email" label={t('users.address')} value={address} maxLength={320} autoCapitalize="none" spellCheck={false} onChange={(e) => setAddress(e.currentTarget.value)} error={wrong} />
          <Button type="submit" variant="default" mt={25} loading={add.isPending} leftSection={<IconPlus size={16} aria-hidden />}>{t('users.addAddress')}</Button>
        </Group>
        {(hasTaken(add.error) || shared) && <Checkbox checked={shared} onChange={(e) => setShared(e.currentTarget.checked)} label={t('users.shared')} description={t('users.sharedHint')} />}
        {add.error && !wrong && <FailureNote error={add.error} compact />}
      </Stack>
    </form>
  );
}

function RemoveAddress({ user, address, done, close }: { user: User; address: string; done: (e: Effect) => void; close: () => void }) {
  const { t } = useTranslation();
  const remove = useMutation({
    mutationFn: () => ask<User>(removeUserAddress({ path: { id: user.id, address } })),
    onSuccess: (u) => {
      done({ address, added: false, before: user.sees });
      changed(u);
      close();
    },
  });
  return (
    <Modal opened onClose={close} title={t('users.removeAddress', { address })} closeButtonProps={{ 'aria-label': t('app.close') }}>
      <Stack>
        <Text size="sm">{t('users.removeHint')}</Text>
        {remove.error && <FailureNote error={remove.error} compact />}
        <Group justify="flex-end">
          <Button variant="default" onClick={close}>{t('users.cancel')}</Button>
          <Button color="red" loading={remove.isPending} onClick={() => remove.mutate()}>{t('users.remove')}</Button>
        </Group>
      </Stack>
    </Modal>
  );
}
