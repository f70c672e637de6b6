import { Badge, Checkbox, Group, Paper, Stack, Text } from '@mantine/core';
import { useTranslation } from 'react-i18next';

import type { QuarantinedMessage } from '../api';
import { formatDateTime, formatSize, plain } from '../format';
import { useAccount } from '../shell/usePage';
import classes from './Routing.module.css';

type Props = { rows: readonly QuarantinedMessage[]; chosen: ReadonlySet<string>; toggle: (id: string) => void };

const colors = { waiting: 'orange', kept: 'gray', released: 'green' } as const;

// QuarantineList shows what is known of messages; none of them can be opened.
export function QuarantineList({ rows, chosen, toggle }: Props) {
  const { t } = useTranslation();
  return (
    <Stack gap="xs" component="ul" p={0} m={0} aria-label={t('routing.quarantine')} style={{ listStyle: 'none' }}>
      {rows.map((r) => <li key={r.id}><Entry entry={r} chosen={chosen.has(r.id)} toggle={() => toggle(r.id)} /></li>)}
    </Stack>
  );
}

function people(list: readonly string[]): string {
  return plain(list.join(', ')) || '–';
}

function Entry({ entry: e, chosen, toggle }: { entry: QuarantinedMessage; chosen: boolean; toggle: () => void }) {
  const { t, i18n } = useTranslation();
  const zone = useAccount().tenant?.zone;
  const subject = plain(e.subject) || t('routing.noSubject');
  const by = e.decided_by === 'cli' ? t('routing.commandLine') : plain(e.decided_by ?? '');
  return (
    <Paper withBorder radius="md" p="sm" className={classes.panel}>
      <Group align="flex-start" wrap="nowrap" gap="sm">
        {e.state === 'released' ? <span style={{ width: 20 }} /> : <Checkbox mt={2} checked={chosen} onChange={toggle} aria-label={t('routing.choose', { subject })} />}
        <div style={{ minWidth: 0, flex: 1 }}>
          <Group justify="space-between" gap="xs">
            <Text className={classes.name}>{subject}</Text>
            <Group gap={6}>
              {e.belongs && <Badge variant="light" color="blue" radius="sm" tt="none">{t('routing.belongsNow')}</Badge>}
              <Badge variant="light" color={colors[e.state]} radius="sm" tt="none" c="var(--mantine-color-text)">{t(`routing.is.${e.state}`)}</Badge>
            </Group>
          </Group>
          <Text size="sm" className={classes.breakable}>{t('routing.fromTo', { from: people(e.from), to: people(e.to) })}{e.hidden > 0 && ` ${t('routing.hidden', { count: e.hidden })}`}</Text>
          <Text size="xs" c="dimmed" className={classes.breakable}>
            {formatDateTime(e.received_at, i18n.language, zone)} · {plain(e.source)} · {formatSize(e.size, i18n.language)}
          </Text>
          <Text size="xs" c="dimmed">{t(`routing.reason.${e.reason}`)}</Text>
          {e.decided_at && (
            <Text size="xs" mt={2} className={classes.breakable}>
              {t('routing.decided', { date: formatDateTime(e.decided_at, i18n.language, zone), person: by })}{e.note && `: ${plain(e.note)}`}
            </Text>
          )}
        </div>
      </Group>
    </Paper>
  );
}
