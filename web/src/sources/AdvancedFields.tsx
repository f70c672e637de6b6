import { Alert, Button, Collapse, NativeSelect, NumberInput, Stack, Textarea, TextInput } from '@mantine/core';
import { IconAlertTriangle, IconChevronDown, IconChevronRight } from '@tabler/icons-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';

import { folded, type Draft, type Field } from './draft';
import type { FieldProps } from './MailboxForm';
import classes from './Sources.module.css';

const protocols = ['auto', 'imap', 'pop3'] as const;
const ways = ['auto', 'implicit', 'starttls', 'none'] as const;

// Advanced is folded unless somebody has set something in it or has to.
export function Advanced({ draft, change, wrong, wrongs }: FieldProps & { wrongs: readonly (Field | undefined)[] }) {
  const { t } = useTranslation();
  const [opened, setOpened] = useState(() => unusual(draft));
  const open = opened || draft.tls === 'none' || folded.some((f) => wrongs.includes(f));
  return (
    <div>
      <Button variant="subtle" color="gray" size="compact-sm" ml={-8} aria-expanded={open} onClick={() => setOpened(!open)}
        leftSection={open ? <IconChevronDown size={16} aria-hidden /> : <IconChevronRight size={16} aria-hidden />}>
        {t('sources.advanced')}
      </Button>
      <Collapse expanded={open} keepMounted={false}>
        <Stack gap="md" mt="sm">
          <div className={classes.fields}>
            <NativeSelect label={t('sources.protocol')} value={draft.protocol} error={wrong('protocol')}
              onChange={(e) => change({ protocol: protocols.find((p) => p === e.currentTarget.value) ?? 'auto' })}
              data={protocols.map((value) => ({ value, label: t(`sources.protocols.${value}`) }))} />
            <NumberInput label={t('sources.port')} placeholder={t('sources.portHint')} value={draft.port} allowDecimal={false} allowNegative={false} hideControls thousandSeparator=""
              onChange={(port) => change({ port: typeof port === 'number' ? port : '' })} error={wrong('port')} />
          </div>
          <NativeSelect label={t('sources.tls')} value={draft.tls} error={wrong('tls')}
            onChange={(e) => change({ tls: ways.find((w) => w === e.currentTarget.value) ?? 'auto' })}
            data={ways.map((value) => ({ value, label: t(`sources.tlsWays.${value}`) }))} />
          {draft.tls === 'none' && <Alert variant="light" color="red" role="alert" py={8} icon={<IconAlertTriangle aria-hidden />}>{t('sources.tlsNone')}</Alert>}
          <TextInput label={t('sources.pin')} description={t('sources.pinHint')} value={draft.pin} maxLength={200} spellCheck={false} onChange={(e) => change({ pin: e.currentTarget.value })} error={wrong('pin')} />
          <Textarea label={t('sources.ca')} description={t('sources.caHint')} value={draft.ca} maxLength={49152} autosize minRows={2} maxRows={8} spellCheck={false}
            onChange={(e) => change({ ca: e.currentTarget.value })} error={wrong('ca')} />
          {draft.method !== '' && (
            <TextInput label={t('mailLogIn.authority')} description={t('mailLogIn.authorityHint')} value={draft.authority} maxLength={500} autoCapitalize="none" spellCheck={false}
              onChange={(e) => change({ authority: e.currentTarget.value, logIn: '' })} error={wrong('authority')} />
          )}
        </Stack>
      </Collapse>
    </div>
  );
}

const unusual = (d: Draft): boolean => d.protocol !== 'auto' || d.tls !== 'auto' || d.port !== '' || d.pin !== '' || d.ca !== '' || d.authority !== '';
