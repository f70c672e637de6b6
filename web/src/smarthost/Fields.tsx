import { Alert, Button, Collapse, NativeSelect, NumberInput, PasswordInput, Stack, Switch, Textarea, TextInput } from '@mantine/core';
import { IconAlertTriangle, IconChevronDown, IconChevronRight } from '@tabler/icons-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';

import { folded, usualPort, type Draft, type Field } from './draft';
import classes from './Smarthost.module.css';

export type FieldProps = {
  draft: Draft;
  change: (part: Partial<Draft>) => void;
  // wrong returns what is wrong with a field, in words, or false.
  wrong: (field: Field) => string | false;
};

const ways = ['starttls', 'implicit', 'none'] as const;

export function ServerFields({ draft, change, wrong }: FieldProps) {
  const { t } = useTranslation();
  return (
    <>
      <div className={classes.fields}>
        <TextInput label={t('smarthost.host')} required value={draft.host} maxLength={253} autoCapitalize="none" spellCheck={false}
          onChange={(e) => change({ host: e.currentTarget.value })} error={wrong('host')} />
        <NativeSelect label={t('smarthost.tls')} value={draft.tls} error={wrong('tls')}
          onChange={(e) => change({ tls: ways.find((w) => w === e.currentTarget.value) ?? 'starttls' })}
          data={ways.map((value) => ({ value, label: t(`smarthost.tlsWays.${value}`) }))} />
      </div>
      {draft.tls === 'none' && <Alert variant="light" color="red" role="alert" py={8} icon={<IconAlertTriangle aria-hidden />}>{t('smarthost.tlsNone')}</Alert>}
    </>
  );
}

export function LogInFields({ draft, change, wrong, stored }: FieldProps & { stored: boolean }) {
  const { t } = useTranslation();
  return (
    <>
      <Switch checked={draft.logIn} onChange={(e) => change({ logIn: e.currentTarget.checked })} label={t('smarthost.logIn')} description={t('smarthost.logInHint')} />
      {draft.logIn && (
        <div className={classes.fields}>
          <TextInput label={t('smarthost.user')} value={draft.user} maxLength={320} autoCapitalize="none" spellCheck={false} autoComplete="off"
            onChange={(e) => change({ user: e.currentTarget.value })} error={wrong('user')} />
          <PasswordInput label={t('smarthost.password')} value={draft.password} maxLength={4096} autoComplete="new-password"
            inputWrapperOrder={['label', 'input', 'description', 'error']}
            {...(stored && { description: t('smarthost.passwordKeep'), placeholder: t('smarthost.passwordSet') })}
            visibilityToggleButtonProps={{ 'aria-hidden': true, tabIndex: -1 }}
            onChange={(e) => change({ password: e.currentTarget.value })} error={wrong('password')} />
        </div>
      )}
    </>
  );
}

export function SenderFields({ draft, change, wrong }: FieldProps) {
  const { t } = useTranslation();
  return (
    <div className={classes.fields}>
      <TextInput label={t('smarthost.from')} description={t('smarthost.fromHint')} required value={draft.from} maxLength={254} type="email" autoCapitalize="none" spellCheck={false}
        onChange={(e) => change({ from: e.currentTarget.value })} error={wrong('from')} />
      <TextInput label={t('smarthost.name')} description={t('smarthost.nameHint')} value={draft.name} maxLength={200}
        onChange={(e) => change({ name: e.currentTarget.value })} error={wrong('name')} />
    </div>
  );
}

// Advanced is folded unless somebody has set something in it or has to.
export function Advanced({ draft, change, wrong, wrongs }: FieldProps & { wrongs: readonly (Field | undefined)[] }) {
  const { t } = useTranslation();
  const [opened, setOpened] = useState(() => draft.port !== '' || draft.pin !== '' || draft.ca !== '');
  const open = opened || folded.some((f) => wrongs.includes(f));
  return (
    <div>
      <Button variant="subtle" color="gray" size="compact-sm" ml={-8} aria-expanded={open} onClick={() => setOpened(!open)}
        leftSection={open ? <IconChevronDown size={16} aria-hidden /> : <IconChevronRight size={16} aria-hidden />}>
        {t('smarthost.advanced')}
      </Button>
      <Collapse expanded={open} keepMounted={false}>
        <Stack gap="md" mt="sm">
          <NumberInput label={t('smarthost.port')} placeholder={t('smarthost.portHint', { port: usualPort(draft.tls) })} value={draft.port} allowDecimal={false} allowNegative={false}
            hideControls thousandSeparator="" onChange={(port) => change({ port: typeof port === 'number' ? port : '' })} error={wrong('port')} />
          {draft.tls !== 'none' && (
            <>
              <TextInput label={t('smarthost.pin')} description={t('smarthost.pinHint')} value={draft.pin} maxLength={200} spellCheck={false}
                onChange={(e) => change({ pin: e.currentTarget.value })} error={wrong('pin')} />
              <Textarea label={t('smarthost.ca')} description={t('smarthost.caHint')} value={draft.ca} maxLength={49152} autosize minRows={2} maxRows={8} spellCheck={false}
                onChange={(e) => change({ ca: e.currentTarget.value })} error={wrong('ca')} />
            </>
          )}
        </Stack>
      </Collapse>
    </div>
  );
}
