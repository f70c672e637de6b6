import { Text } from '@mantine/core';
import { IconFileText } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';

import type { Message } from '../api';
import { formatSize, plain, regional } from '../format';
import classes from './MessagePane.module.css';

// day writes the date of a document: a day has no zone.
const day = (iso: string, language: string): string => new Intl.DateTimeFormat(regional(language), { dateStyle: 'long', timeZone: 'UTC' }).format(new Date(`${iso}T00:00:00Z`));

// DocumentFacts says which file a document is, and who may see it.
export function DocumentFacts({ message }: { message: Message }) {
  const { t, i18n } = useTranslation();
  const owners = message.parties.filter((p) => p.role === 'owner').map((p) => p.address);
  return (
    <div>
      <Text size="sm" fw={600} className={classes.breakable}><IconFileText size={16} aria-hidden style={{ verticalAlign: '-3px' }} /> {plain(message.file?.name ?? '')}</Text>
      <Text size="sm" c="dimmed" className={classes.breakable}>
        {[t('documents.document'), message.file?.type, formatSize(message.size, i18n.language), message.category].filter(Boolean).join(' · ')}
      </Text>
      {message.file?.date && <Text size="sm" c="dimmed"><time dateTime={message.file.date}>{day(message.file.date, i18n.language)}</time></Text>}
      <Text size="sm" c="dimmed" className={classes.breakable}>{t('documents.seenBy', { names: owners.join(', ') })}</Text>
    </div>
  );
}
