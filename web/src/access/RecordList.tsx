import { Badge, Group, Paper, Stack, Text } from '@mantine/core';
import { useTranslation } from 'react-i18next';

import type { AccessRecord } from '../api';
import { formatDateTime, plain } from '../format';
import { useAccount } from '../shell/usePage';
import classes from './Access.module.css';

const keys = {
  'mail.searched': 'searched', 'mail.counted': 'counted', 'message.read': 'read', 'message.shown': 'shown',
  'message.downloaded': 'downloaded', 'attachment.downloaded': 'attachment', 'report.downloaded': 'report',
  'evidence.downloaded': 'evidence',
} as const;

// RecordList shows who did what in other people's mail, the newest first.
export function RecordList({ records }: { records: readonly AccessRecord[] }) {
  const { t } = useTranslation();
  if (records.length === 0) {
    return null;
  }
  return (
    <Stack gap="xs" component="ul" p={0} m={0} aria-label={t('access.records')} style={{ listStyle: 'none' }}>
      {records.map((r) => <li key={r.id}><Entry record={r} /></li>)}
    </Stack>
  );
}

function Entry({ record: r }: { record: AccessRecord }) {
  const { t, i18n } = useTranslation();
  const zone = useAccount().tenant?.zone;
  return (
    <Paper withBorder radius="md" p="sm" className={classes.panel}>
      <Group justify="space-between" gap="xs">
        <Text size="sm" className={classes.name}>{t('access.didWhat', { person: plain(r.user) || '–', act: t(`access.act.${keys[r.act]}`) })}</Text>
        <Group gap={6}>
          {r.covert && <Badge variant="light" color="gray" radius="sm" tt="none" c="var(--mantine-color-text)">{t('access.covert')}</Badge>}
          <Text size="xs" c="dimmed" className={classes.when}>{formatDateTime(r.at, i18n.language, zone)}</Text>
        </Group>
      </Group>
      <Text size="sm" className={classes.breakable}>{t('access.mailOf', { addresses: plain(r.addresses.join(', ')) })}{r.query && ` · ${t('access.searchedFor', { query: plain(r.query) })}`}</Text>
      <Text size="xs" c="dimmed" className={classes.breakable}>
        {t('access.because', { reason: plain(r.reason) })}{r.message && ` · ${t('access.messageId', { id: r.message })}`}{r.peer && ` · ${r.peer}`}
      </Text>
    </Paper>
  );
}
