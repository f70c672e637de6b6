import { Alert, Badge, Button, Checkbox, Group, Modal, Paper, Stack, Switch, Text, TextInput, Title } from '@mantine/core';
import { useMutation, useQuery } from '@tanstack/react-query';
import { useVirtualizer } from '@tanstack/react-virtual';
import { IconAlertTriangle, IconPlus, IconSearch } from '@tabler/icons-react';
import { useDeferredValue, useMemo, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';

import { changeSelection, type ProposedAddress, type Selection } from '../api';
import { ask, hasCode } from '../failure';
import { formatDateTime, formatNumber, plain } from '../format';
import { queries } from '../queries';
import { FailureNote } from '../shell/Failure';
import { Titled } from '../shell/ManualLink';
import { useAccount, useTitle } from '../shell/usePage';
import { proposalsQuery, selectionQuery } from './queries';
import classes from './Routing.module.css';
import { RoutingTabs } from './RoutingTabs';
import { addressesIn, choicesOf, hays, matching, type Choice } from './select';

// SelectionPage lets an administrator choose whose mail is archived.
export function SelectionPage() {
  const { t } = useTranslation();
  useTitle(t('routing.selection'));
  const allowed = useAccount().role === 'tenant-admin';
  const selection = useQuery({ ...selectionQuery, enabled: allowed });
  const proposals = useQuery({ ...proposalsQuery, enabled: allowed });
  const error = selection.error ?? proposals.error;
  return (
    <main className={classes.narrow}>
      <Titled><Title order={1} size="h2" mb="sm">{t('routing.title')}</Title></Titled>
      {!allowed && <Text role="alert">{t('routing.forbidden')}</Text>}
      {allowed && (
        <>
          <RoutingTabs />
          <Text size="sm" c="dimmed" mb="md">{t('routing.selectionIntro')}</Text>
          {error && <FailureNote error={error} retry={() => { void selection.refetch(); void proposals.refetch(); }} />}
          {selection.data && proposals.data && <SelectionForm key={selection.dataUpdatedAt} selection={selection.data} proposed={proposals.data.addresses} />}
        </>
      )}
    </main>
  );
}

function SelectionForm({ selection, proposed }: { selection: Selection; proposed: readonly ProposedAddress[] }) {
  const { t, i18n } = useTranslation();
  const zone = useAccount().tenant?.zone;
  const [enabled, setEnabled] = useState(selection.enabled);
  const [chosen, setChosen] = useState<ReadonlySet<string>>(() => new Set(selection.addresses));
  const [extra, setExtra] = useState<readonly string[]>([]);
  const [asking, setAsking] = useState(false);
  const addresses = useMemo(() => [...chosen].sort(), [chosen]);
  const choices = useMemo(() => choicesOf([...selection.addresses, ...extra], proposed), [selection.addresses, extra, proposed]);
  const save = useMutation({
    mutationFn: (confirmed: boolean) => ask<Selection>(changeSelection({ body: { enabled, addresses, confirmed } })),
    onSuccess: (now) => {
      setAsking(false);
      queries.setQueryData(selectionQuery.queryKey, now);
      void queries.invalidateQueries({ queryKey: ['quarantine'] });
    },
  });
  const removed = selection.addresses.some((a) => !chosen.has(a));
  const changed = enabled !== selection.enabled || removed || chosen.size !== selection.addresses.length;
  const narrows = enabled && (!selection.enabled || removed);
  const toggle = (list: readonly string[], on: boolean) =>
    setChosen((old) => {
      const next = new Set(old);
      list.forEach((a) => (on ? next.add(a) : next.delete(a)));
      return next;
    });
  return (
    <>
      <Paper withBorder radius="md" className={classes.panel}>
        <Stack gap="xs" p="lg">
          <Switch checked={enabled} onChange={(e) => setEnabled(e.currentTarget.checked)} label={t('routing.onlySelected')} description={t(enabled ? 'routing.onHint' : 'routing.offHint')} />
          {selection.changed_at && <Text size="xs" c="dimmed">{t('routing.changed', { date: formatDateTime(selection.changed_at, i18n.language, zone), person: selection.changed_by === 'cli' ? t('routing.commandLine') : plain(selection.changed_by ?? '') })}</Text>}
        </Stack>
        {enabled && <AddressList choices={choices} chosen={chosen} toggle={toggle} add={(list) => { setExtra((old) => [...old, ...list]); toggle(list, true); }} />}
      </Paper>
      {enabled && chosen.size === 0 && <Alert mt="md" variant="light" color="orange" icon={<IconAlertTriangle size={18} aria-hidden />}>{t('routing.noneSelected')}</Alert>}
      {save.error && !asking && <FailureNote error={save.error} />}
      <Group className={classes.sticky} justify="space-between">
        <Text size="sm">{enabled ? t('routing.selectedCount', { count: chosen.size, number: formatNumber(chosen.size, i18n.language) }) : t('routing.allArchived')}</Text>
        <Button disabled={!changed} loading={save.isPending && !asking} onClick={() => (narrows ? setAsking(true) : save.mutate(false))}>{t('routing.save')}</Button>
      </Group>
      <div role="status">{save.isSuccess && !changed && <Text size="sm" c="var(--m-good)" mt="xs">{t('routing.saved')}</Text>}</div>
      {asking && <Warning close={() => setAsking(false)} confirm={() => save.mutate(true)} busy={save.isPending} error={save.error} />}
    </>
  );
}

type ListProps = { choices: readonly Choice[]; chosen: ReadonlySet<string>; toggle: (list: readonly string[], on: boolean) => void; add: (list: readonly string[]) => void };

const rowHeight = 44;

// AddressList shows any number of addresses: only those in view are there.
function AddressList({ choices, chosen, toggle, add }: ListProps) {
  const { t, i18n } = useTranslation();
  const [text, setText] = useState('');
  const wanted = useDeferredValue(text);
  const hay = useMemo(() => hays(choices), [choices]);
  const known = useMemo(() => new Set(choices.map((c) => c.address)), [choices]);
  const shown = useMemo(() => matching(choices, hay, wanted), [choices, hay, wanted]);
  const scroll = useRef<HTMLDivElement>(null);
  // eslint-disable-next-line react-hooks/incompatible-library -- the virtualizer is used in this component only
  const rows = useVirtualizer({ count: shown.length, getScrollElement: () => scroll.current, estimateSize: () => rowHeight, overscan: 10 });
  const typed = useMemo(() => addressesIn(text).filter((a) => !known.has(a)), [text, known]);
  const all = shown.length > 0 && shown.every((c) => chosen.has(c.address));
  return (
    <>
      <Group px="lg" pb="sm" gap="sm">
        <TextInput flex="1 1 260px" aria-label={t('routing.find')} placeholder={t('routing.find')} leftSection={<IconSearch size={16} aria-hidden />} value={text} onChange={(e) => setText(e.currentTarget.value)} autoCapitalize="none" spellCheck={false} />
        {typed.length > 0 && <Button variant="default" leftSection={<IconPlus size={16} aria-hidden />} onClick={() => { add(typed); setText(''); }}>{t('routing.addAddresses', { count: typed.length, address: typed[0] ?? '' })}</Button>}
        {shown.length > 0 && <Button variant="default" onClick={() => toggle(shown.map((c) => c.address), !all)}>{t(all ? 'routing.deselectShown' : 'routing.selectShown', { number: formatNumber(shown.length, i18n.language) })}</Button>}
      </Group>
      {shown.length === 0 && <Text size="sm" c="dimmed" px="lg" pb="lg">{t(choices.length === 0 ? 'routing.noneKnown' : 'routing.noneFound')}</Text>}
      <div ref={scroll} className={classes.list} style={{ height: shown.length * rowHeight + 1 }} role="group" aria-label={t('routing.addresses')} hidden={shown.length === 0}>
        <div style={{ height: rows.getTotalSize(), position: 'relative' }}>
          {rows.getVirtualItems().map((item) => {
            const c = shown[item.index];
            return c && (
              <div key={c.address} className={classes.option} style={{ position: 'absolute', top: item.start }}>
                <Checkbox label={plain(c.address)} checked={chosen.has(c.address)} onChange={(e) => toggle([c.address], e.currentTarget.checked)} />
                {c.name && <Text size="sm" c="dimmed" truncate>{plain(c.name)}</Text>}
                {c.user && <Badge variant="light" color="gray" radius="sm" tt="none">{t('routing.user')}</Badge>}
              </div>
            );
          })}
        </div>
      </div>
    </>
  );
}

function Warning({ close, confirm, busy, error }: { close: () => void; confirm: () => void; busy: boolean; error: unknown }) {
  const { t } = useTranslation();
  const [read, setRead] = useState(false);
  return (
    <Modal opened onClose={close} title={t('routing.warning')} size="lg" closeButtonProps={{ 'aria-label': t('app.close') }}>
      <Stack>
        <Alert variant="light" color="orange" icon={<IconAlertTriangle aria-hidden />}>{t('routing.warningText')}</Alert>
        <Text size="sm">{t('routing.warningMore')}</Text>
        <Checkbox checked={read} onChange={(e) => setRead(e.currentTarget.checked)} label={t('routing.confirm')} />
        {Boolean(error) && (hasCode(error, 'invalid') ? <Text size="sm" c="var(--m-bad)" role="alert">{t('routing.wrong.addresses')}</Text> : <FailureNote error={error} compact />)}
        <Group justify="flex-end">
          <Button variant="default" onClick={close}>{t('routing.cancel')}</Button>
          <Button color="red" disabled={!read} loading={busy} onClick={confirm}>{t('routing.leaveOut')}</Button>
        </Group>
      </Stack>
    </Modal>
  );
}
