import { Badge, Group, Text, Title } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';

import type { Message } from '../api';
import { formatDateTime, plain } from '../format';
import { useAccount } from '../shell/usePage';

// MessageRetention says until when a message is kept, what that counts from, and, to
// those who may know, which holds are on it.
export function MessageRetention({ message }: { message: Message }) {
  const { t, i18n } = useTranslation();
  const zone = useAccount().tenant?.zone;
  const { retention: r } = message;
  const day = new Intl.DateTimeFormat(i18n.language, { day: '2-digit', month: '2-digit', year: 'numeric', timeZone: 'UTC' }).format(Date.parse(`${r.last_day || '1970-01-01'}T00:00:00Z`));
  return (
    <section aria-labelledby="retained">
      <Title order={3} size="h5" id="retained" mb={4}>{t('retention.kept')}</Title>
      {r.unknown ? <Text size="sm" role="alert">{t('retention.unknown')}</Text> : (
        <>
          <Text size="sm" data-kept>{t('retention.keptUntil', { day })}</Text>
          <Text size="sm" c="dimmed">{t('retention.countedFrom', { count: r.years, date: formatDateTime(message.received_at, i18n.language, zone) })}</Text>
        </>
      )}
      {r.may_see_holds && (
        <Group gap="xs" mt={6}>
          {r.holds.map((h) => <Badge key={h.id} color="orange" variant="light" radius="sm" tt="none" c="var(--mantine-color-text)">{t('retention.heldBy', { name: plain(h.name) })}</Badge>)}
          <Text size="sm"><Link to="/retention" search={{ messages: message.id }}>{t('retention.holdThis')}</Link></Text>
        </Group>
      )}
    </section>
  );
}
