import { IconFileText, IconPaperclip } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';

import type { Hit, Party } from '../api';
import { formatLongDateTime, formatRelative, formatShort, formatSize, plain } from '../format';
import { useAccount } from '../shell/usePage';
import { Marked } from './Marked';
import { fromMark } from './queryText';
import classes from './ResultList.module.css';

export function partyName(party: Party): string {
  return plain(party.name || party.address);
}

export function ResultRow({ hit }: { hit: Hit }) {
  const { t, i18n } = useTranslation();
  const { addresses, tenant } = useAccount();
  const mine = hit.from.some((p) => addresses.includes(p.address.toLowerCase()));
  const from = hit.file ? plain(hit.file.name) : hit.from.map(partyName).join(', ') || t('search.noSender');
  const to = hit.to.map(partyName).join(', ');
  const snippet = fromMark(hit.snippet.text, hit.snippet.marks);
  const long = `${formatLongDateTime(hit.date, i18n.language, tenant?.zone)} (${formatRelative(hit.date, i18n.language)})`;
  return (
    <>
      <div className={classes.line}>
        <span className={classes.from}>{mine && to ? t('search.to', { names: to }) : from}</span>
        {hit.file && <IconFileText size={15} role="img" aria-label={t('documents.document')} className={classes.clip} />}
        {hit.attachments > 0 && (
          <IconPaperclip size={15} role="img" aria-label={t('search.attachments', { count: hit.attachments })} className={classes.clip} />
        )}
        <time className={classes.date} dateTime={hit.date} title={long}>{formatShort(hit.date, i18n.language, tenant?.zone)}</time>
      </div>
      <div className={classes.line}>
        <span className={classes.subject} data-empty={hit.subject === '' || undefined}>{plain(hit.subject) || t('search.noSubject')}</span>
        {hit.category && <span className={classes.category}>{hit.category}</span>}
      </div>
      <div className={classes.snippet}>{hit.file ? `${hit.file.type} · ${formatSize(hit.size, i18n.language)}` : <Marked text={snippet.text} marks={snippet.marks} />}</div>
    </>
  );
}
