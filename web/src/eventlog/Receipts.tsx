import { Button, Group, NativeSelect, Text, TextInput } from '@mantine/core';
import { useMutation, useQuery } from '@tanstack/react-query';
import { IconDownload } from '@tabler/icons-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';

import { changeReceiptSettings, type Receipt, type ReceiptSettings } from '../api';
import { ask } from '../failure';
import { formatDateTime, formatNumber } from '../format';
import { queries } from '../queries';
import { FailureNote } from '../shell/Failure';
import { useAccount } from '../shell/usePage';
import classes from './EventLog.module.css';
import { Section } from './EventLogPage';
import { receiptAddress, receiptSettingsQuery, receiptsQuery } from './queries';

const few = 7;

// Receipts lists the daily receipts, and says who gets them.
export function Receipts({ manage }: { manage: boolean }) {
  const { t } = useTranslation();
  const receipts = useQuery(receiptsQuery);
  const settings = useQuery(receiptSettingsQuery);
  const [all, setAll] = useState(false);
  const [saved, setSaved] = useState(false);
  const list = receipts.data?.receipts ?? [];
  return (
    <Section id="receipts" title={t('eventlog.receipts')}>
      <Text size="sm" maw={720}>{t('eventlog.receiptsIntro')}</Text>
      {receipts.error && <FailureNote error={receipts.error} retry={() => void receipts.refetch()} />}
      {receipts.data && list.length === 0 && <Text size="sm" c="dimmed">{t('eventlog.noReceipts')}</Text>}
      {list.length > 0 && <ul className={classes.list}>{(all ? list : list.slice(0, few)).map((r) => <Line key={r.day} r={r} />)}</ul>}
      {list.length > few && !all && <Group><Button variant="default" size="xs" onClick={() => setAll(true)}>{t('eventlog.showAll', { count: list.length })}</Button></Group>}
      {settings.data && (manage ? <Form key={JSON.stringify(settings.data)} settings={settings.data} done={setSaved} />
        : <Text size="sm" c="dimmed">{settings.data.to.length > 0 ? t('eventlog.mailedTo', { to: settings.data.to.join(', ') }) : t('eventlog.mailedToNobody')}</Text>)}
      <div role="status">{saved && <Text size="sm">{t('eventlog.saved')}</Text>}</div>
    </Section>
  );
}

function Line({ r }: { r: Receipt }) {
  const { t, i18n } = useTranslation();
  const zone = useAccount().tenant?.zone;
  const about = [t('eventlog.covers', { count: r.size, number: formatNumber(r.size, i18n.language) }), r.filed && t('eventlog.filed'), r.mailed && t('eventlog.mailed'), r.sealed && t('eventlog.sealed')].filter(Boolean).join(' · ');
  return (
    <li className={classes.row}>
      <div>
        <Text size="sm" fw={600}>{formatDateTime(r.made_at, i18n.language, zone)}</Text>
        <Text size="xs" c="dimmed">{about}</Text>
      </div>
      <Button size="xs" variant="default" component="a" href={receiptAddress(r.day)} download leftSection={<IconDownload size={16} aria-hidden />} aria-label={t('eventlog.downloadOf', { day: r.day })}>{t('eventlog.download')}</Button>
    </li>
  );
}

// Form begins anew with what was saved, so whoever shows it says that it was.
function Form({ settings, done }: { settings: ReceiptSettings; done: (saved: boolean) => void }) {
  const { t } = useTranslation();
  const [to, setTo] = useState(settings.to.join(', '));
  const [at, setAt] = useState(settings.at);
  const [language, setLanguage] = useState(settings.language);
  const save = useMutation({
    mutationFn: () => ask(changeReceiptSettings({ body: { to: to.split(/[\s,;]+/u).filter(Boolean), at, language } })),
    onMutate: () => done(false),
    onSuccess: () => {
      void queries.invalidateQueries({ queryKey: ['log'] });
      done(true);
    },
  });
  return (
    <form onSubmit={(e) => { e.preventDefault(); save.mutate(); }}>
      <div className={classes.fields}>
        <TextInput label={t('eventlog.to')} description={t('eventlog.toHint')} value={to} maxLength={2000} onChange={(e) => setTo(e.currentTarget.value)} autoCapitalize="none" spellCheck={false} />
        <TextInput type="time" label={t('eventlog.at')} value={at} required onChange={(e) => setAt(e.currentTarget.value)} />
        <NativeSelect label={t('eventlog.language')} value={language} onChange={(e) => setLanguage(e.currentTarget.value === 'en' ? 'en' : 'de')} data={[{ value: 'de', label: 'Deutsch' }, { value: 'en', label: 'English' }]} />
      </div>
      <Group mt="md"><Button type="submit" variant="default" loading={save.isPending}>{t('eventlog.save')}</Button></Group>
      {save.error && <FailureNote error={save.error} />}
    </form>
  );
}
