import { Alert, Button, Group, NumberInput, Paper, Select, Stack, Table, Text, Textarea, Title } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState, type FormEvent } from 'react';
import { useTranslation } from 'react-i18next';

import classes from '../access/Access.module.css';
import { requestShorter, setRetention, type AccessRequest, type NewRetention, type Retention } from '../api';
import { ask, hasCode } from '../failure';
import { formatDateTime, plain } from '../format';
import { useAccount } from '../shell/usePage';
import { Mistake } from './Mistake';
import { inAWeek, kept } from './queries';
import { useSetting } from './Scope';

// Setting shows how long what nothing classifies is kept, and changes it: longer at
// once, shorter by a request.
export function Setting({ state }: { state: Retention }) {
  const { t } = useTranslation();
  const words = useSetting();
  return (
    <Paper withBorder p="lg" radius="md" component="section" aria-labelledby="kept" className={classes.panel}>
      <Title order={2} size="h4" mb="xs" id="kept">{t('retention.kept')}</Title>
      <Text fw={600} data-current>{words(state.current)}</Text>
      <Text size="sm" c="dimmed" mb="md">{t(state.default ? 'retention.shipped' : 'retention.keptHint')}</Text>
      {state.request && <Alert variant="light" color="orange" mb="md"><Link to="/access" className={classes.link}>{t('retention.shorterWaits')}</Link></Alert>}
      <Change state={state} />
      {state.changes.length > 0 && <Changes state={state} />}
    </Paper>
  );
}

function Change({ state }: { state: Retention }) {
  const { t, i18n } = useTranslation();
  const { current } = state;
  const [form, setForm] = useState({ years: current.years, jurisdiction: current.jurisdiction as string, yearEnd: current.year_end, reason: '' });
  const set = (change: Partial<typeof form>) => setForm((old) => ({ ...old, ...change }));
  const wanted = (): NewRetention => ({ years: form.years, jurisdiction: form.jurisdiction as 'DE', year_end: form.yearEnd, reason: form.reason });
  const longer = useMutation({ mutationFn: () => ask<Retention>(setRetention({ body: wanted() })), onSuccess: kept });
  const shorter = useMutation({ mutationFn: () => ask<AccessRequest>(requestShorter({ body: { ...wanted(), until: inAWeek() } })), onSuccess: kept });
  const changed = form.years !== current.years || form.jurisdiction !== current.jurisdiction || form.yearEnd !== current.year_end;
  const longerByOthers = !state.may_change && form.years > current.years && form.jurisdiction === current.jurisdiction;
  const shortens = !state.may_change || form.years < current.years || hasCode(longer.error, 'shortens');
  const submit = (event: FormEvent) => {
    event.preventDefault();
    longer.reset();
    (shortens ? shorter : longer).mutate();
  };
  const months = Array.from({ length: 12 }, (_, i) => ({ value: `${i + 1}`, label: new Intl.DateTimeFormat(i18n.language, { month: 'long', timeZone: 'UTC' }).format(Date.UTC(2026, i, 15)) }));
  const error = shorter.error ?? (hasCode(longer.error, 'shortens') ? null : longer.error);
  return (
    <form onSubmit={submit} noValidate>
      <Stack gap="md">
        <Group align="flex-start">
          <NumberInput label={t('retention.yearsField')} min={1} max={100} allowDecimal={false} value={form.years} onChange={(v) => set({ years: Number(v) || 0 })} w={140} />
          <Select label={t('retention.lawField')} allowDeselect={false} value={form.jurisdiction} onChange={(v) => set({ jurisdiction: v ?? 'DE' })} data={(['DE', 'AT', 'CH'] as const).map((j) => ({ value: j, label: t(`retention.law.${j}`) }))} w={200} />
          {form.jurisdiction !== 'DE' && <Select label={t('retention.yearEnd')} allowDeselect={false} value={`${form.yearEnd}`} onChange={(v) => set({ yearEnd: Number(v) })} data={months} w={220} />}
        </Group>
        <Text size="sm" c="dimmed">{t(`retention.begins.${form.jurisdiction as 'DE'}`)}</Text>
        <Textarea label={t('retention.why')} description={t(shortens ? 'retention.whyShorter' : 'retention.whyLonger')} required={shortens} autosize minRows={2} maxRows={8} value={form.reason} maxLength={2000} onChange={(e) => set({ reason: e.currentTarget.value })} />
        {longerByOthers && <Alert variant="light" color="orange">{t('retention.longerByOthers')}</Alert>}
        {shortens && changed && !longerByOthers && <Alert variant="light" color="orange">{t('retention.shortens')}</Alert>}
        {error && <Mistake error={error} />}
        <div role="status">{longer.isSuccess && t('retention.saved')}{shorter.isSuccess && t('retention.asked')}</div>
        <Group>
          <Button type="submit" disabled={shortens && (!changed || longerByOthers)} loading={longer.isPending || shorter.isPending}>{t(shortens ? 'retention.askShorter' : 'retention.save')}</Button>
        </Group>
      </Stack>
    </form>
  );
}

function Changes({ state }: { state: Retention }) {
  const { t, i18n } = useTranslation();
  const words = useSetting();
  const zone = useAccount().tenant?.zone;
  return (
    <section aria-labelledby="changes">
      <Title order={3} size="h5" mt="lg" mb="xs" id="changes">{t('retention.changes')}</Title>
      <dl className={classes.facts}>
        {state.changes.map((c, i) => (
          <div key={i} style={{ display: 'contents' }}>
            <dt>{c.from ? formatDateTime(c.from, i18n.language, zone) : t('retention.sinceEver')}</dt>
            <dd>{words(c)}{c.set_by && ` · ${plain(c.set_by)}`}{c.approved_by && ` · ${t('retention.approvedBy', { person: plain(c.approved_by) })}`}{c.reason && `: ${plain(c.reason)}`}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}

// Laws lists how long the laws have papers kept.
export function Laws({ state }: { state: Retention }) {
  const { t } = useTranslation();
  const list = state.classes.filter((c) => c.jurisdiction === state.current.jurisdiction);
  return (
    <section aria-labelledby="laws">
      <Title order={2} size="h4" mb="xs" id="laws">{t('retention.laws')}</Title>
      <Text size="sm" c="dimmed" mb="sm">{t('retention.lawsHint')}</Text>
      <Table>
        <Table.Thead><Table.Tr><Table.Th>{t('retention.papers')}</Table.Th><Table.Th>{t('retention.yearsField')}</Table.Th><Table.Th>{t('retention.lawName')}</Table.Th></Table.Tr></Table.Thead>
        <Table.Tbody>
          {list.map((c) => (
            <Table.Tr key={`${c.class}-${c.sector}`}>
              <Table.Td>{t(`retention.class.${c.class as 'books'}`)}{c.sector && ` (${t(`retention.sector.${c.sector as 'finance'}`)})`}</Table.Td>
              <Table.Td>{c.years === 0 ? t('retention.noDuty') : c.years}</Table.Td>
              <Table.Td className={classes.breakable}>{c.law || '–'}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </section>
  );
}
