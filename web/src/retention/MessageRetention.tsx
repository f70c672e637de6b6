import { Badge, Group, Text, Title } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';

import classes from '../access/Access.module.css';
import type { Message } from '../api';
import { formatDateTime, formatDay, plain } from '../format';
import { useAccount } from '../shell/usePage';

// MessageRetention says until when a message is kept, what that counts from, and, to
// those who may know, which holds are on it.
export function MessageRetention({ message }: { message: Message }) {
  const { t, i18n } = useTranslation();
  const zone = useAccount().tenant?.zone;
  const { retention: r } = message;
  const day = r.last_day ? formatDay(r.last_day, i18n.language) : '';
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
          <Text size="sm"><Link to="/retention" search={{ messages: message.id }} className={classes.link}>{t('retention.holdThis')}</Link></Text>
        </Group>
      )}
    </section>
  );
}
