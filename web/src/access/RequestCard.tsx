import { Badge, Button, Group, Paper, Text, Textarea } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';

import { decideAccess, endAccess, type AccessRequest } from '../api';
import { CarryOut, Concerned } from '../deletion/Deletion';
import { exportAddress } from '../evidence/queries';
import { ask } from '../failure';
import { formatDateTime, plain } from '../format';
import { FailureNote } from '../shell/Failure';
import { useAccount } from '../shell/usePage';
import classes from './Access.module.css';
import { kept } from '../retention/queries';
import { useScope, useSetting } from '../retention/Scope';
import { settled } from './queries';

const colors = { waiting: 'orange', approved: 'green', refused: 'red', withdrawn: 'gray', ended: 'gray', expired: 'gray', done: 'gray' } as const;

// atOnce reports whether the approval itself does what is asked for.
const atOnce = (r: AccessRequest) => r.kind === 'lift-hold' || r.kind === 'shorten-retention';

// isAct reports whether a request is about doing something, and not about reading.
const isAct = (r: AccessRequest) => atOnce(r) || r.kind === 'deletion';

// RequestCard shows a request and what the reader may do with it.
export function RequestCard({ request: r }: { request: AccessRequest }) {
  const { t } = useTranslation();
  const what = r.kind === 'deletion' ? t('deletion.of', { count: r.messages }) : r.lift ? t('retention.liftOf', { name: plain(r.lift.name) }) : r.shorten ? t('retention.shorten') : r.addresses.length > 0 ? plain(r.addresses.join(', ')) : t('access.everybody');
  return (
    <Paper withBorder radius="md" p="md" className={classes.panel} component="article" aria-label={t(isAct(r) ? 'access.requestOf' : 'access.requestFor', { addresses: what })}>
      <Group justify="space-between" gap="xs" align="flex-start">
        <Text className={classes.name}>{what}</Text>
        <Badge variant="light" color={colors[r.state]} radius="sm" tt="none" c="var(--mantine-color-text)">{t(`access.state.${r.state}`)}</Badge>
      </Group>
      <Facts request={r} />
      {r.kind === 'deletion' && <Concerned request={r} />}
      <Acts request={r} what={what} />
    </Paper>
  );
}

function Facts({ request: r }: { request: AccessRequest }) {
  const { t, i18n } = useTranslation();
  const zone = useAccount().tenant?.zone;
  const when = (at: string) => formatDateTime(at, i18n.language, zone);
  const scope = useScope();
  const setting = useSetting();
  const by = (p: { name: string; role: string }) => (p.role ? `${plain(p.name) || '–'} (${t(`role.${p.role as 'auditor'}`)})` : plain(p.name) || '–');
  return (
    <dl className={classes.facts}>
      {r.kind === 'export' && <><dt>{t('access.kind')}</dt><dd>{t('access.export')}</dd></>}
      {r.lift && <><dt>{t('retention.covers')}</dt><dd>{scope(r.lift.scope)}</dd><dt>{t('retention.placedBecause')}</dt><dd>{plain(r.lift.reason)}</dd></>}
      {r.shorten && <><dt>{t('retention.before')}</dt><dd>{setting(r.shorten.before)}</dd><dt>{t('retention.after')}</dt><dd>{setting(r.shorten.after)}</dd></>}
      {r.kind === 'deletion' && <><dt>{t('access.kind')}</dt><dd>{t('deletion.kind')}</dd></>}
      {r.reason && <><dt>{t('access.reason')}</dt><dd>{plain(r.reason)}</dd></>}
      {r.covert && <><dt>{t('access.covert')}</dt><dd>{plain(r.covert)}</dd></>}
      {(r.from || r.to) && (
        <><dt>{t('access.period')}</dt><dd>{t('access.periodOf', { from: r.from ? when(r.from) : '…', to: r.to ? when(r.to) : '…' })}</dd></>
      )}
      {r.query && <><dt>{t('access.query')}</dt><dd>{plain(r.query)}</dd></>}
      {(!atOnce(r) || r.state === 'waiting') && <><dt>{t(atOnce(r) ? 'retention.waitsUntil' : r.kind === 'deletion' ? 'deletion.until' : 'access.until')}</dt><dd>{when(r.until)}</dd></>}
      <dt>{t('access.requested')}</dt><dd>{t('access.byAt', { person: by(r.requested_by), date: when(r.requested_at) })}</dd>
      {r.decided_by && r.decided_at && <><dt>{t('access.decided')}</dt><dd>{t('access.byAt', { person: by(r.decided_by), date: when(r.decided_at) })}{r.note && `: ${plain(r.note)}`}</dd></>}
      {r.ended_by && r.ended_at && <><dt>{t(r.state === 'done' ? 'deletion.carriedOut' : 'access.ended')}</dt><dd>{t('access.byAt', { person: by(r.ended_by), date: when(r.ended_at) })}</dd></>}
    </dl>
  );
}

function Acts({ request: r, what }: { request: AccessRequest; what: string }) {
  const { t } = useTranslation();
  const [note, setNote] = useState('');
  const decide = useMutation({
    mutationFn: (approve: boolean) => ask<AccessRequest>(decideAccess({ path: { id: r.id }, body: { approve, note } })),
    onSettled: () => { settled(); kept(); },
  });
  const end = useMutation({ mutationFn: () => ask<AccessRequest>(endAccess({ path: { id: r.id } })), onSettled: settled });
  const error = decide.error ?? end.error;
  return (
    <>
      {r.may_decide && atOnce(r) && <Text size="sm" mt="sm">{t(r.lift ? 'retention.liftAtOnce' : 'retention.shortenAtOnce')}</Text>}
      {r.may_decide && (
        <Textarea mt="sm" label={t('access.note')} autosize minRows={1} maxRows={6} value={note} maxLength={2000} onChange={(e) => setNote(e.currentTarget.value)} />
      )}
      {(r.may_decide || r.may_read || r.may_end || r.may_carry_out) && (
        <Group gap="xs" mt="sm">
          {r.may_decide && <Button size="xs" loading={decide.isPending} onClick={() => decide.mutate(true)} aria-label={t(isAct(r) ? 'access.approveAct' : 'access.approveOf', { addresses: what })}>{t('access.approve')}</Button>}
          {r.may_decide && <Button size="xs" variant="default" disabled={decide.isPending} onClick={() => decide.mutate(false)} aria-label={t(isAct(r) ? 'access.refuseAct' : 'access.refuseOf', { addresses: what })}>{t('access.refuse')}</Button>}
          {r.may_read && <Button size="xs" renderRoot={(props) => <Link to="/" search={{ grant: r.id }} {...props} />}>{t('access.read')}</Button>}
          {r.may_read && r.kind === 'export' && <Button size="xs" component="a" href={exportAddress('', r.id)} download>{t('access.exportNow')}</Button>}
          {r.may_carry_out && r.kind === 'deletion' && <CarryOut request={r} />}
          {r.may_end && <Button size="xs" variant="default" loading={end.isPending} onClick={() => end.mutate()}>{t(r.state === 'waiting' ? 'access.withdraw' : isAct(r) ? 'deletion.end' : 'access.end')}</Button>}
        </Group>
      )}
      {error && <FailureNote error={error} compact />}
    </>
  );
}
