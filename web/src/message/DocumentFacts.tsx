import { Text } from '@mantine/core';
import { IconFileText } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';

import type { Message } from '../api';
import { formatSize, plain } from '../format';
import classes from './MessagePane.module.css';

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
      <Text size="sm" c="dimmed" className={classes.breakable}>{t('documents.seenBy', { names: owners.join(', ') })}</Text>
    </div>
  );
}
