import { Button, Group, NativeSelect, NumberInput, Text } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { IconCheck, IconPlus } from '@tabler/icons-react';
import { useState, type FormEvent } from 'react';
import { useTranslation } from 'react-i18next';

import { changeSealing, type Sealing, type SealingAuthority } from '../api';
import { ask, wrongFields } from '../failure';
import { plain } from '../format';
import { queries } from '../queries';
import { FailureNote } from '../shell/Failure';
import { Section } from '../smarthost/SmarthostPage';
import { AuthorityFields } from './AuthorityFields';
import { sealingQuery, settable } from './queries';

export type Draft = { authority: SealingAuthority; secret: string };

const fresh = (): SealingAuthority => ({ name: '', url: '', auth: 'none', ca: '' });

// AuthoritiesForm changes who gives time stamps, in which order, and how often.
export function AuthoritiesForm({ sealing }: { sealing: Sealing }) {
  const { t } = useTranslation();
  const [minutes, setMinutes] = useState<number | ''>(Math.round(sealing.interval / 60));
  const [certificate, setCertificate] = useState<number | ''>(sealing.renew_certificate);
  const [algorithm, setAlgorithm] = useState<number | ''>(sealing.renew_algorithm);
  const [drafts, setDrafts] = useState<Draft[]>(() => sealing.authorities.map((authority) => ({ authority, secret: '' })));
  const [preset, setPreset] = useState('');
  const save = useMutation({
    mutationFn: () => ask<Sealing>(changeSealing({ body: {
      interval: minutes === '' ? 0 : Math.round(minutes * 60),
      renew_certificate: certificate === '' ? 0 : certificate,
      renew_algorithm: algorithm === '' ? 0 : algorithm,
      authorities: drafts.map((d) => settable(d.authority)),
      secrets: Object.fromEntries(drafts.filter((d) => d.secret !== '').map((d) => [d.authority.name.trim(), d.secret])),
    } })),
    onSuccess: (saved) => {
      queries.setQueryData(sealingQuery.queryKey, saved);
      setDrafts(saved.authorities.map((authority) => ({ authority, secret: '' })));
    },
  });
  const wrongs = wrongFields(save.error);
  const changed = () => {
    if (save.isSuccess) save.reset();
  };
  const change = (at: number, part: Partial<Draft>) => {
    setDrafts((old) => old.map((d, i) => (i === at ? { ...d, ...part } : d)));
    changed();
  };
  const add = () => {
    const p = sealing.presets.find((x) => x.id === preset);
    const authority = p ? { ...fresh(), name: p.name, url: p.url ?? '', auth: p.auth, preset: p.id, ...(p.pause && { pause: p.pause }) } : fresh();
    setDrafts((old) => [...old, { authority, secret: '' }]);
    setPreset('');
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    save.mutate();
  };
  const chosen = sealing.presets.find((x) => x.id === preset);
  return (
    <form onSubmit={submit} noValidate autoComplete="off">
      <Section id="authorities" title={t('evidence.who')}>
        <Text size="sm" c="dimmed">{t('evidence.whoHint')}</Text>
        <NumberInput label={t('evidence.intervalMinutes')} description={t('evidence.intervalHint')} value={minutes} min={1} max={1440} allowDecimal={false} maw={320}
          onChange={(v) => { setMinutes(typeof v === 'number' ? v : ''); changed(); }} error={wrongs.includes('interval') && t('evidence.wrong.interval')} />
        <Group gap="md" align="flex-end">
          <NumberInput label={t('evidence.renewCertificate')} value={certificate} min={1} max={3650} allowDecimal={false} maw={320}
            onChange={(v) => { setCertificate(typeof v === 'number' ? v : ''); changed(); }} error={wrongs.includes('renew_certificate') && t('evidence.wrong.renew')} />
          <NumberInput label={t('evidence.renewAlgorithm')} value={algorithm} min={1} max={3650} allowDecimal={false} maw={320}
            onChange={(v) => { setAlgorithm(typeof v === 'number' ? v : ''); changed(); }} error={wrongs.includes('renew_algorithm') && t('evidence.wrong.renew')} />
        </Group>
        <Text size="xs" c="dimmed">{t('evidence.renewLeadHint')}</Text>
        {drafts.map((d, i) => (
          <AuthorityFields key={i} draft={d} number={i + 1} change={(part) => change(i, part)} remove={() => setDrafts((old) => old.filter((_, j) => j !== i))}
            wrongs={wrongs.filter((w) => w.startsWith(`authorities[${i}].`)).map((w) => w.slice(`authorities[${i}].`.length))} />
        ))}
        <Group align="flex-end" gap="xs">
          <NativeSelect label={t('evidence.addFrom')} value={preset} onChange={(e) => setPreset(e.currentTarget.value)}
            data={[{ value: '', label: t('evidence.ownAuthority') }, ...sealing.presets.map((p) => ({ value: p.id, label: plain(p.name) }))]} />
          <Button variant="default" leftSection={<IconPlus size={16} aria-hidden />} onClick={add}>{t('evidence.add')}</Button>
        </Group>
        {chosen && <Text size="sm">{t(`evidence.standing.${chosen.standing}`, { country: chosen.country ?? '?' })}</Text>}
        {save.error && wrongs.length === 0 && <FailureNote error={save.error} />}
        {wrongs.length > 0 && <Text size="sm" c="var(--m-bad)" role="alert">{t('evidence.mistakes')}</Text>}
        <Group>
          <Button type="submit" loading={save.isPending} leftSection={save.isSuccess ? <IconCheck size={16} aria-hidden /> : undefined}>{t(save.isSuccess ? 'evidence.saved' : 'evidence.save')}</Button>
        </Group>
      </Section>
    </form>
  );
}
