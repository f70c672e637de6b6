import { Checkbox, Stack, TextInput } from '@mantine/core';
import { useTranslation } from 'react-i18next';

export type Draft = { url: string; description: string; kinds: string[] };

// Fields are what is said of a webhook, new or not.
export function Fields({ draft, change, kinds }: { draft: Draft; change: (part: Partial<Draft>) => void; kinds: readonly string[] }) {
  const { t } = useTranslation();
  return (
    <>
      <TextInput label={t('webhooks.url')} description={t('webhooks.urlHint')} type="url" inputMode="url" value={draft.url} required maxLength={2000}
        onChange={(e) => change({ url: e.currentTarget.value })} />
      <TextInput label={t('webhooks.description')} value={draft.description} maxLength={200} onChange={(e) => change({ description: e.currentTarget.value })} />
      <Checkbox.Group label={t('webhooks.kinds')} value={draft.kinds} onChange={(chosen) => change({ kinds: chosen })}>
        <Stack gap={6} mt={6}>
          {kinds.map((k) => <Checkbox key={k} value={k} label={t(`webhooks.kind.${k.replace('.', '-') as 'tenant-created'}`)} />)}
        </Stack>
      </Checkbox.Group>
    </>
  );
}
