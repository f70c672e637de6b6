import { Button, Code, Group, NativeSelect, Text, TextInput } from '@mantine/core';
import { useInfiniteQuery } from '@tanstack/react-query';
import { IconX } from '@tabler/icons-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';

import type { Event } from '../api';
import { formatDateTime, plain } from '../format';
import { FailureNote } from '../shell/Failure';
import { useAccount } from '../shell/usePage';
import classes from './EventLog.module.css';
import { Section } from './EventLogPage';
import { eventsQuery, groups, proofAddress, type EventFilter } from './queries';
import { useAction, useActor } from './words';

const everything: EventFilter = { group: '', actor: '', object: '', from: '', to: '' };
const isDay = (day: string): boolean => day === '' || /^\d{4}-\d\d-\d\d$/u.test(day);

// EventList shows who did what, and when.
export function EventList() {
  const { t } = useTranslation();
  const [filter, setFilter] = useState(everything);
  const change = (part: Partial<EventFilter>) => setFilter({ ...filter, ...part });
  const list = useInfiniteQuery({ ...eventsQuery(filter), enabled: isDay(filter.from) && isDay(filter.to) });
  const rows = list.data?.pages.flatMap((p) => p.events) ?? [];
  return (
    <Section id="events" title={t('eventlog.events')}>
      <div className={classes.fields}>
        <NativeSelect label={t('eventlog.what')} value={filter.group} onChange={(e) => change({ group: e.currentTarget.value })}
          data={[{ value: '', label: t('eventlog.everything') }, ...groups.map((value) => ({ value, label: t(`eventlog.group.${value}`) }))]} />
        <TextInput type="date" label={t('eventlog.from')} value={filter.from} onChange={(e) => change({ from: e.currentTarget.value })} />
        <TextInput type="date" label={t('eventlog.until')} value={filter.to} onChange={(e) => change({ to: e.currentTarget.value })} />
        <TextInput label={t('eventlog.about')} placeholder={t('eventlog.aboutHint')} value={filter.object} maxLength={160} onChange={(e) => change({ object: e.currentTarget.value.trim() })} />
      </div>
      {filter.actor && (
        <Group gap="xs"><Text size="sm">{t('eventlog.onlyOf', { who: filter.actor })}</Text>
          <Button size="compact-xs" variant="default" leftSection={<IconX size={14} aria-hidden />} onClick={() => change({ actor: '' })}>{t('eventlog.ofAll')}</Button></Group>
      )}
      {list.error && <FailureNote error={list.error} retry={() => void list.refetch()} />}
      {list.data && rows.length === 0 && <Text size="sm" c="dimmed">{t('eventlog.noEvents')}</Text>}
      {rows.length > 0 && <ul className={classes.list}>{rows.map((e) => <Line key={e.seq} event={e} only={(actor) => change({ actor })} />)}</ul>}
      {list.hasNextPage && <Group><Button variant="default" loading={list.isFetchingNextPage} onClick={() => void list.fetchNextPage()}>{t('eventlog.more')}</Button></Group>}
    </Section>
  );
}

function Line({ event: e, only }: { event: Event; only: (actor: string) => void }) {
  const { t, i18n } = useTranslation();
  const zone = useAccount().tenant?.zone;
  const action = useAction();
  const actor = useActor();
  const [open, setOpen] = useState(false);
  const details = Object.entries(e.details ?? {}).filter(([, value]) => value !== '').map(([name, value]) => `${name}: ${value}`);
  const text = plain([`${e.action} #${e.seq}`, e.actor, e.object, ...details].filter(Boolean).join('\n'));
  return (
    <li>
      <div className={classes.event}>
        <span className={classes.when}>{formatDateTime(e.at, i18n.language, zone)}</span>
        <span className={`${classes.what} ${classes.breakable}`}>
          <Text size="sm" fw={600} span>{action(e.action)}</Text>
          {e.object_name && e.object_name !== e.actor_name && <Text size="sm" span>{`: ${plain(e.object_name)}`}</Text>}
          <Text size="xs" c="dimmed">{plain(actor(e.actor, e.actor_name))}</Text>
        </span>
        <Button variant="subtle" color="gray" size="compact-xs" aria-expanded={open} aria-label={t('eventlog.detailsOf', { number: e.seq })} onClick={() => setOpen(!open)}>{t(open ? 'sources.hideDetails' : 'sources.details')}</Button>
      </div>
      {open && (
        <>
          <Code className={classes.detail}>{text}</Code>
          <Group gap="xs" mt={6}>
            <Button size="compact-xs" variant="default" component="a" href={proofAddress(e.seq)} download>{t('eventlog.proofOf')}</Button>
            <Button size="compact-xs" variant="default" onClick={() => only(e.actor)}>{t('eventlog.onlyThis')}</Button>
          </Group>
        </>
      )}
    </li>
  );
}
