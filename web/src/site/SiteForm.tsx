import { Alert, Anchor, Button, Checkbox, FileButton, Group, Radio, Stack, Text, Textarea, TextInput } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { IconAlertTriangle, IconCheck, IconFile } from '@tabler/icons-react';
import { useEffect, useRef, useState, type FormEvent } from 'react';
import { Trans, useTranslation } from 'react-i18next';

import { changeSite, type SiteState } from '../api';
import { ask, wrongFields } from '../failure';
import { queries } from '../queries';
import { FailureNote } from '../shell/Failure';
import { changeOf, draftOf, fieldsOf, ways, type Draft, type Field } from './draft';
import { siteQuery } from './queries';

type Props = { draft: Draft; change: (part: Partial<Draft>) => void; wrong: (field: Field) => string | false };

// SiteForm sets the name and the certificate by which people reach the installation.
export function SiteForm({ state, saved }: { state: SiteState; saved?: () => void }) {
  const { t } = useTranslation();
  const form = useRef<HTMLFormElement>(null);
  const [draft, setDraft] = useState(() => draftOf(state.site, window.location.hostname));
  const save = useMutation({
    mutationFn: () => ask<SiteState>(changeSite({ body: changeOf(draft) })),
    onSuccess: (now) => {
      queries.setQueryData(siteQuery.queryKey, now);
      setDraft((d) => ({ ...d, key: '' }));
      saved?.();
    },
  });
  const wrongs = fieldsOf(wrongFields(save.error));
  const known = wrongs.length > 0 && wrongs.every(Boolean);
  useEffect(() => {
    if (save.error) {
      form.current?.querySelector<HTMLElement>('[aria-invalid=true]')?.focus();
    }
  }, [save.error]);
  const change = (part: Partial<Draft>) => {
    setDraft((old) => ({ ...old, ...part }));
    if (save.isSuccess) save.reset();
  };
  const props: Props = { draft, change, wrong: (field) => wrongs.includes(field) && t(`site.wrong.${field}`) };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    save.mutate();
  };
  return (
    <form ref={form} onSubmit={submit} noValidate autoComplete="off">
      <Stack gap="md">
        <TextInput label={t('site.host')} description={t('site.hostHint')} placeholder={t('site.hostExample')} value={draft.host} maxLength={253} autoCapitalize="none" spellCheck={false}
          onChange={(e) => change({ host: e.currentTarget.value })} error={props.wrong('host')} />
        <Radio.Group label={t('site.tls')} value={draft.tls} error={props.wrong('tls')} onChange={(v) => change({ tls: ways.find((w) => w === v) ?? 'off' })}>
          <Stack gap="xs" mt={6}>
            {ways.map((w) => <Radio key={w} value={w} label={t(`site.way.${w}`)} description={t(`site.wayHint.${w}`)} disabled={state.fixed && w !== 'off'} />)}
          </Stack>
        </Radio.Group>
        {draft.tls === 'own' && <OwnFields {...props} stored={state.has_key} />}
        {draft.tls === 'acme' && <AcmeFields {...props} />}
        {save.error && (known
          ? <Alert variant="light" color="red" role="alert" icon={<IconAlertTriangle aria-hidden />}>{t('site.invalid')}</Alert>
          : <FailureNote error={save.error} />)}
        <Group>
          <Button type="submit" loading={save.isPending}>{t('site.save')}</Button>
          <Text size="sm" c="dimmed" role="status" component="span">
            {save.isSuccess && <Group gap={6} component="span"><IconCheck size={16} aria-hidden />{t('site.saved')}</Group>}
          </Text>
        </Group>
      </Stack>
    </form>
  );
}

// PemField takes the text of a file, typed or chosen.
function PemField({ label, hint, value, set, error, placeholder }: { label: string; hint: string; value: string; set: (text: string) => void; error: string | false; placeholder?: string }) {
  const { t } = useTranslation();
  const read = (file: File | null) => {
    if (file) {
      void file.slice(0, 65_537).text().then(set);
    }
  };
  return (
    <div>
      <Textarea label={label} description={hint} value={value} placeholder={placeholder} maxLength={65_536} autosize minRows={2} maxRows={6} spellCheck={false} autoComplete="off"
        onChange={(e) => set(e.currentTarget.value)} error={error} />
      <FileButton onChange={read} accept=".pem,.crt,.cer,.key,application/x-pem-file">
        {(props) => <Button {...props} mt={6} size="compact-sm" variant="default" leftSection={<IconFile size={14} aria-hidden />}>{t('site.choose', { what: label })}</Button>}
      </FileButton>
    </div>
  );
}

function OwnFields({ draft, change, wrong, stored }: Props & { stored: boolean }) {
  const { t } = useTranslation();
  return (
    <>
      <PemField label={t('site.certificate')} hint={t('site.certificateHint')} value={draft.certificate} set={(certificate) => change({ certificate })} error={wrong('certificate')} />
      <PemField label={t('site.key')} hint={t(stored ? 'site.keyKeep' : 'site.keyHint')} value={draft.key} set={(key) => change({ key })} error={wrong('key')}
        {...(stored && { placeholder: t('site.keyStored') })} />
    </>
  );
}

function AcmeFields({ draft, change, wrong }: Props) {
  const { t } = useTranslation();
  return (
    <>
      <TextInput label={t('site.email')} description={t('site.emailHint')} value={draft.email} maxLength={254} type="email" autoCapitalize="none" spellCheck={false}
        onChange={(e) => change({ email: e.currentTarget.value })} error={wrong('email')} />
      <TextInput label={t('site.directory')} description={t('site.directoryHint')} placeholder={t('site.directoryUsual')} value={draft.directory} maxLength={500} autoCapitalize="none" spellCheck={false}
        onChange={(e) => change({ directory: e.currentTarget.value })} error={wrong('directory')} />
      <Checkbox checked={draft.agreed} onChange={(e) => change({ agreed: e.currentTarget.checked })} error={wrong('agreed')}
        label={<Trans t={t} i18nKey="site.agree" components={{ terms: <Anchor href="https://letsencrypt.org/repository/" target="_blank" rel="noreferrer noopener" inherit /> }} />} />
    </>
  );
}
