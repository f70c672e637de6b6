import { Alert, Button, Checkbox, Group, Paper, Progress, Stack, Text } from '@mantine/core';
import { useMutation, useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { IconAlertTriangle, IconCircleCheck, IconFileImport } from '@tabler/icons-react';
import { useEffect, useRef, useState, type DragEvent } from 'react';
import { useTranslation } from 'react-i18next';

import { cancelUserImport, importUsers, previewUsers, type UserImport, type UserImportPlan } from '../api';
import { ask } from '../failure';
import { formatNumber, formatSize, plain } from '../format';
import { FailureNote } from '../shell/Failure';
import { useAccount } from '../shell/usePage';
import { base64 } from './find';
import { PlanTable, ProblemTable } from './Plan';
import { changed, userImportQuery } from './queries';
import { Page } from './UserPage';
import classes from './Users.module.css';
import { wrongOf } from './wrong';

const maxSize = 4 * 1024 * 1024;

type Chosen = { name: string; size: number; content: string };
type Options = { update: boolean; shared: boolean };

// ImportPage takes a list of users, shows what it would do, and does it.
export function ImportPage() {
  const { t } = useTranslation();
  const allowed = useAccount().role === 'tenant-admin';
  return (
    <Page title={t('users.importTitle')}>
      {allowed ? <Import /> : <Text role="alert">{t('users.forbidden')}</Text>}
    </Page>
  );
}

function Import() {
  const { t } = useTranslation();
  const [file, setFile] = useState<Chosen>();
  const [options, setOptions] = useState<Options>({ update: false, shared: false });
  const [id, setId] = useState<string>();
  const preview = useMutation({ mutationFn: (body: { content: string } & Options) => ask<UserImportPlan>(previewUsers({ body })) });
  const begin = useMutation({
    mutationFn: (body: { content: string } & Options) => ask<UserImport>(importUsers({ body })),
    onSuccess: (i) => setId(i.id),
  });
  const look = (f: Chosen, o: Options) => {
    begin.reset();
    setId(undefined);
    preview.mutate({ content: f.content, ...o });
  };
  const take = (f: Chosen) => {
    setFile(f);
    look(f, options);
  };
  const set = (change: Partial<Options>) => {
    const next = { ...options, ...change };
    setOptions(next);
    if (file) look(file, next);
  };
  const plan = preview.data;
  if (id !== undefined) {
    return <Running id={id} again={() => { setId(undefined); setFile(undefined); preview.reset(); }} />;
  }
  return (
    <Stack gap="md">
      <Text size="sm">{t('users.format')}</Text>
      <code className={classes.sample} tabIndex={0}>{'kmueller,Kaffee-Tanne-71-Zebra,Karla,Müller,k.mueller@firma.example,info@firma.example\nbkurz,,Bernd,Kurz,b.kurz@firma.example'}</code>
      <Drop file={file} take={take} />
      <Paper withBorder p="lg" radius="md" className={classes.panel}>
        <Stack gap="sm">
          <Checkbox checked={options.update} onChange={(e) => set({ update: e.currentTarget.checked })} label={t('users.update')} description={t('users.updateHint')} />
          <Checkbox checked={options.shared} onChange={(e) => set({ shared: e.currentTarget.checked })} label={t('users.importShared')} description={t('users.sharedHint')} />
        </Stack>
      </Paper>
      {preview.error && <FailureNote error={preview.error} />}
      {file && plan && <Preview plan={plan} pending={preview.isPending} />}
      {begin.error && (Object.values(wrongOf(t, begin.error))[0] ? <Text c="var(--m-bad)" size="sm" role="alert">{Object.values(wrongOf(t, begin.error))[0]}</Text> : <FailureNote error={begin.error} />)}
      {file && plan && plan.problems.length === 0 && (
        <Group justify="flex-end">
          <Button leftSection={<IconFileImport size={16} aria-hidden />} loading={begin.isPending || preview.isPending} disabled={plan.create + plan.update === 0} onClick={() => begin.mutate({ content: file.content, ...options })}>
            {t('users.apply', { count: plan.create + plan.update })}
          </Button>
        </Group>
      )}
    </Stack>
  );
}

function Drop({ file, take }: { file: Chosen | undefined; take: (f: Chosen) => void }) {
  const { t, i18n } = useTranslation();
  const [over, setOver] = useState(false);
  const [large, setLarge] = useState(false);
  const input = useRef<HTMLInputElement>(null);
  const read = async (f: File | undefined) => {
    if (!f) return;
    setLarge(f.size > maxSize);
    if (f.size <= maxSize) {
      take({ name: f.name, size: f.size, content: base64(new Uint8Array(await f.arrayBuffer())) });
    }
  };
  const drop = (event: DragEvent) => {
    event.preventDefault();
    setOver(false);
    void read(event.dataTransfer.files[0]);
  };
  return (
    <div className={classes.drop} data-over={over || undefined} onDragOver={(event) => { event.preventDefault(); setOver(true); }} onDragLeave={() => setOver(false)} onDrop={drop}>
      <IconFileImport size={36} stroke={1.3} aria-hidden />
      <Text fw={600} className={classes.breakable}>{file ? `${plain(file.name)} · ${formatSize(file.size, i18n.language)}` : t('users.drop')}</Text>
      {large && <Text size="sm" c="var(--m-bad)" role="alert">{t('users.wrong.file-size', { limit: formatSize(maxSize, i18n.language) })}</Text>}
      <Button variant="default" onClick={() => input.current?.click()}>{t('users.choose')}</Button>
      <input
        ref={input} type="file" accept=".csv,.txt,text/csv,text/plain" hidden aria-label={t('users.choose')}
        onChange={(event) => {
          void read(event.currentTarget.files?.[0]);
          event.currentTarget.value = '';
        }}
      />
    </div>
  );
}

function Preview({ plan, pending }: { plan: UserImportPlan; pending: boolean }) {
  const { t, i18n } = useTranslation();
  const n = (count: number) => ({ count, number: formatNumber(count, i18n.language) });
  const bad = plan.problems.length > 0;
  return (
    <Stack gap="md" aria-busy={pending}>
      <div role="status">
        <Alert variant="light" color={bad ? 'red' : 'green'} icon={bad ? <IconAlertTriangle size={18} aria-hidden /> : <IconCircleCheck size={18} aria-hidden />}>
          {bad
            ? t('users.blocked', n(plan.problems.length))
            : [t('users.willCreate', n(plan.create)), t('users.willChange', n(plan.update)), t('users.willStay', n(plan.same)), plan.hashing > 20 && t('users.takesTime', n(plan.hashing))].filter(Boolean).join(' ')}
        </Alert>
      </div>
      {bad && <ProblemTable title={t('users.problems')} problems={plan.problems} />}
      {plan.notices.length > 0 && <ProblemTable title={t('users.notices')} problems={plan.notices} />}
      {plan.more > 0 && <Text size="sm" c="dimmed">{t('users.moreProblems', n(plan.more))}</Text>}
      {plan.users.length > 0 && <PlanTable plan={plan} />}
    </Stack>
  );
}

function Running({ id, again }: { id: string; again: () => void }) {
  const { t, i18n } = useTranslation();
  const state = useQuery(userImportQuery(id));
  const cancel = useMutation({ mutationFn: () => ask(cancelUserImport({ path: { id } })) });
  const done = state.data?.state === 'done';
  useEffect(() => {
    if (done) changed();
  }, [done]);
  const i = state.data;
  if (state.error) {
    return <FailureNote error={state.error} retry={() => void state.refetch()} />;
  }
  if (!i || i.state === 'running') {
    return (
      <Paper withBorder p="lg" radius="md" className={classes.panel}>
        <Stack gap="sm">
          <Text size="sm" role="status">{t('users.hashing', { done: formatNumber(i?.hashed ?? 0, i18n.language), all: formatNumber(i?.hashing ?? 0, i18n.language) })}</Text>
          <Progress value={i && i.hashing > 0 ? (100 * i.hashed) / i.hashing : 100} animated aria-label={t('users.progress')} />
          <Group justify="flex-end"><Button variant="default" loading={cancel.isPending} onClick={() => cancel.mutate()}>{t('users.stop')}</Button></Group>
        </Stack>
      </Paper>
    );
  }
  return (
    <Stack gap="md">
      <Alert variant="light" color={done ? 'green' : 'red'} role="status" icon={done ? <IconCircleCheck size={18} aria-hidden /> : <IconAlertTriangle size={18} aria-hidden />}>
        {done
          ? [t('users.created', { count: i.plan?.create ?? 0 }), t('users.changed', { count: i.plan?.update ?? 0 })].join(' ')
          : t(i.state === 'problems' ? 'users.meanwhile' : 'users.failed')}
      </Alert>
      {i.plan && i.plan.problems.length > 0 && <ProblemTable title={t('users.problems')} problems={i.plan.problems} />}
      <Group justify="flex-end" gap="xs">
        <Button variant="default" onClick={again}>{t('users.another')}</Button>
        <Button renderRoot={(props) => <Link to="/users" {...props} />}>{t('users.toUsers')}</Button>
      </Group>
    </Stack>
  );
}
