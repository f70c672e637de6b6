import { Alert, Checkbox, Group, NativeSelect, NumberInput, Radio, Stack, Switch, TagsInput, Text } from '@mantine/core';
import { IconAlertTriangle, IconTrash } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';

import { regional } from '../format';
import type { FieldProps } from './MailboxForm';

const choices = ['inbox', 'all', 'list'] as const;
const extra = ['drafts', 'spam', 'trash'] as const;
const intervals = [10, 30, 60, 300, 900, 1800, 3600, 21_600, 86_400];

// span names a time in words, such as "5 minutes".
function span(seconds: number, language: string): string {
  const [unit, length] = ([['day', 86_400], ['hour', 3600], ['minute', 60]] as const).find(([, l]) => seconds >= l && seconds % l === 0) ?? ['second', 1];
  return new Intl.NumberFormat(regional(language), { style: 'unit', unit, unitDisplay: 'long' }).format(seconds / length);
}

// Selection says what is fetched, and how often.
export function Selection({ draft, change, wrong, folders }: FieldProps & { folders: readonly string[] }) {
  const { t, i18n } = useTranslation();
  const offered = intervals.includes(draft.interval) ? intervals : [...intervals, draft.interval].sort((a, b) => a - b);
  return (
    <>
      <NativeSelect label={t('sources.interval')} value={String(draft.interval)} maw={320} error={wrong('interval_seconds')}
        onChange={(e) => change({ interval: Number(e.currentTarget.value) })}
        data={offered.map((s) => ({ value: String(s), label: span(s, i18n.language) }))} />
      {draft.protocol === 'pop3' ? <Text size="sm" c="dimmed">{t('sources.foldersPop3')}</Text> : <Folders draft={draft} change={change} wrong={wrong} folders={folders} />}
      <Switch checked={draft.limited} onChange={(e) => change({ limited: e.currentTarget.checked })} label={t('sources.limit')} description={t('sources.limitHint')} />
      {draft.limited && (
        <NumberInput label={t('sources.limitSize')} value={draft.limit} min={1} max={150} clampBehavior="none" maw={320} error={wrong('max_bytes')}
          onChange={(limit) => change({ limit: typeof limit === 'number' ? limit : '' })} />
      )}
      <Switch checked={draft.reports} onChange={(e) => change({ reports: e.currentTarget.checked })} label={t('sources.reports')} description={t('sources.reportsHint')} />
    </>
  );
}

function Folders({ draft, change, wrong, folders }: FieldProps & { folders: readonly string[] }) {
  const { t } = useTranslation();
  return (
    <>
      <Radio.Group label={t('sources.folders')} value={draft.folders} onChange={(value) => change({ folders: choices.find((c) => c === value) ?? 'inbox' })} error={wrong('folders')}>
        <Stack gap={8} mt={6}>{choices.map((value) => <Radio key={value} value={value} label={t(`sources.folderWays.${value}`)} />)}</Stack>
      </Radio.Group>
      {draft.folders === 'list' && (
        <TagsInput label={t('sources.named')} description={t('sources.namedHint')} value={draft.named} onChange={(named) => change({ named })} data={[...folders]} maxTags={1000} splitChars={[]} acceptValueOnBlur
          clearButtonProps={{ 'aria-hidden': true }} error={wrong('named')} />
      )}
      {draft.folders === 'all' && (
        <TagsInput label={t('sources.without')} description={t('sources.withoutHint')} value={draft.without} onChange={(without) => change({ without })} data={[...folders]} maxTags={1000} splitChars={[]} acceptValueOnBlur
          clearButtonProps={{ 'aria-hidden': true }} error={wrong('without')} />
      )}
      {draft.folders === 'all' && (
        <Checkbox.Group label={t('sources.also')} description={t('sources.alsoHint')} value={extra.filter((e) => draft[e])}
          onChange={(chosen) => change({ drafts: chosen.includes('drafts'), spam: chosen.includes('spam'), trash: chosen.includes('trash') })}>
          <Group mt={6}>{extra.map((e) => <Checkbox key={e} value={e} label={t(`sources.${e}`)} />)}</Group>
        </Checkbox.Group>
      )}
    </>
  );
}

// Afterwards says what becomes of the messages on the server.
export function Afterwards({ draft, change }: FieldProps) {
  const { t } = useTranslation();
  return (
    <>
      <Switch checked={draft.keep} onChange={(e) => change({ keep: e.currentTarget.checked })} label={t('sources.keep')} />
      <Alert variant="light" color={draft.keep ? 'orange' : 'gray'} role="status" py={8} icon={draft.keep ? <IconAlertTriangle aria-hidden /> : <IconTrash size={18} aria-hidden />}>
        {t(draft.keep ? 'sources.keepWarning' : 'sources.deletion')}
      </Alert>
    </>
  );
}
