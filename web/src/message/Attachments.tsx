import { Text } from '@mantine/core';
import { IconDownload, IconFile, IconFileSpreadsheet, IconFileText, IconFileTypePdf, IconFileZip, IconMail, IconPhoto, type Icon } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';

import type { Attachment } from '../api';
import { formatSize, plain } from '../format';
import { attachmentAddress } from '../queries';
import classes from './MessagePane.module.css';

const kinds: [RegExp, Icon][] = [
  [/^image\//u, IconPhoto],
  [/pdf$/u, IconFileTypePdf],
  [/^message\//u, IconMail],
  [/zip|compressed|x-tar|gzip/u, IconFileZip],
  [/sheet|excel|csv/u, IconFileSpreadsheet],
  [/^text\/|word|opendocument/u, IconFileText],
];

function iconOf(type: string): Icon {
  return kinds.find(([pattern]) => pattern.test(type))?.[1] ?? IconFile;
}

export function Attachments({ id, attachments }: { id: string; attachments: readonly Attachment[] }) {
  const { t, i18n } = useTranslation();
  if (attachments.length === 0) {
    return null;
  }
  const count = attachments.filter((a) => !a.inline).length;
  const label = count > 0 ? t('message.attachments', { count }) : t('message.pictures', { count: attachments.length });
  return (
    <section aria-label={label}>
      <ul className={classes.attachments}>
        {attachments.map((a) => {
          const Kind = iconOf(a.type.toLowerCase());
          const name = plain(a.name) || `${t('message.unnamed')} ${plain(a.type)}`;
          return (
            <li key={a.no}>
              <a className={classes.attachment} data-inline={a.inline || undefined} href={attachmentAddress(id, a.no)} download title={`${name} · ${a.type}`} aria-label={[t('message.downloadAttachment', { name }), formatSize(a.size, i18n.language), ...(a.inline ? [t('message.inline')] : [])].join(', ')}>
                <Kind size={22} stroke={1.5} aria-hidden />
                <span className={classes.file}>
                  <Text span size="sm" fw={500} className={classes.fileName}>{name}</Text>
                  <Text span size="xs" c="dimmed">{formatSize(a.size, i18n.language)}{a.inline && ` · ${t('message.inline')}`}</Text>
                </span>
                <IconDownload size={16} aria-hidden className={classes.fetch} />
              </a>
            </li>
          );
        })}
      </ul>
    </section>
  );
}
