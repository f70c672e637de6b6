import { Anchor, Text } from '@mantine/core';
import type { TFunction } from 'i18next';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';

import { getUpload, type Upload, type UploadItem } from '../api';
import { ask, Failure } from '../failure';
import { formatNumber, plain } from '../format';
import { whyNot } from './reasons';
import classes from './Upload.module.css';

const csvAddress = (id: string, language: string) => `/api/v1/uploads/${encodeURIComponent(id)}/report.csv?separator=${language === 'de' ? 'semicolon' : 'comma'}`;

// shown is how many problems stand on the page; all are in the CSV.
const shown = 5;

// says words what became of an item, with the reason if there is one.
function says(t: TFunction, i: UploadItem) {
  const why = whyNot(t, i);
  const what = i.outcome === 'stored' || i.outcome === 'duplicate' ? '' : t(`upload.outcome.${i.outcome}`);
  return why && what ? `${what} (${why})` : why || what;
}

// Outcome says what became of what is in an upload, with the way to it.
export function Outcome({ upload }: { upload: Upload }) {
  const { t, i18n } = useTranslation();
  const ended = upload.state === 'done';
  // A list leaves the items out.
  const full = useQuery({ queryKey: ['upload', upload.id], queryFn: ({ signal }) => ask(getUpload({ path: { id: upload.id }, signal })), enabled: ended && upload.result?.items.length === 0 });
  const result = full.data?.result ?? upload.result;
  if (!result) {
    return null;
  }
  const number = (n: number) => formatNumber(n, i18n.language);
  const message = result.items.find((i) => i.message !== '')?.message;
  const problems = result.items.filter((i) => i.reason !== '' || (i.outcome !== 'stored' && i.outcome !== 'duplicate'));
  return (
    <>
      <Text size="sm">
        {ended && upload.kind === 'document' ? t(result.duplicate > 0 ? 'upload.known' : 'upload.archived') : t('upload.result', { stored: number(result.stored + result.before), duplicate: number(result.duplicate), skipped: number(result.skipped + result.excluded), failed: number(result.failed) })}
        {result.quarantined > 0 && <> · {t('upload.quarantined', { count: result.quarantined, number: number(result.quarantined) })}</>}
        {ended && message && <> · <Anchor size="sm" className={classes.link} renderRoot={(props) => <Link to="/" search={upload.kind === 'document' || result.items.length === 1 ? { id: message, q: `id:${message}` } : { q: 'source:Upload is:mail' }} {...props} />}>{t(upload.kind === 'document' ? 'upload.openDocument' : 'upload.openMail')}</Anchor></>}
        {ended && <> · <Anchor size="sm" className={classes.link} href={csvAddress(upload.id, i18n.language)} download>{t('upload.csv')}</Anchor></>}
      </Text>
      {problems.slice(0, shown).map((p, i) => (
        <Text key={i} size="xs" c="dimmed" className={classes.name}>{plain(p.origin)}: {says(t, p)}</Text>
      ))}
    </>
  );
}

// Why says why a file could not be given.
export function Why({ error, reason }: { error: unknown; reason: string }) {
  const { t } = useTranslation();
  const problem = error instanceof Failure ? error.problem : undefined;
  const detail = reason || [problem?.detail, ...(problem?.errors ?? []).map((e) => e.message)].filter(Boolean).join(' ');
  return <Text size="sm" className={classes.bad} role="alert">{error instanceof DOMException ? t('upload.unreadable') : t('upload.notTaken', { detail: detail || t('failure.other') })}</Text>;
}
