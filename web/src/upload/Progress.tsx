import { Button, Group, Paper, Progress as Bar, Text, Title } from '@mantine/core';
import { useTranslation } from 'react-i18next';

import { formatNumber, formatSize, plain } from '../format';
import { ended, type Item } from './sender';
import { Outcome, Why } from './Outcome';
import classes from './Upload.module.css';

type Props = { items: readonly Item[]; cancel: (key: number) => void; again: (key: number) => void; clear: () => void };

// Progress shows the files that are on their way, and in the end the report.
export function Progress({ items, cancel, again, clear }: Props) {
  const { t } = useTranslation();
  return (
    <Paper withBorder p="md" radius="md" className={classes.panel}>
      <Title order={2} size="h4" mb={4}>{t('upload.progress')}</Title>
      <Summary items={items} />
      <ul className={classes.list} aria-label={t('upload.progress')}>
        {items.map((item) => <Row key={item.key} item={item} cancel={cancel} again={again} />)}
      </ul>
      {items.some((i) => ended(i.phase)) && <Button mt="md" size="xs" variant="default" onClick={clear}>{t('upload.clearEnded')}</Button>}
    </Paper>
  );
}

// Summary adds up what became of everything.
function Summary({ items }: { items: readonly Item[] }) {
  const { t, i18n } = useTranslation();
  const sum = (of: 'stored' | 'duplicate' | 'quarantined' | 'excluded' | 'skipped' | 'failed' | 'before') => items.reduce((n, i) => n + (i.upload?.result?.[of] ?? 0), 0);
  const failed = sum('failed') + items.filter((i) => i.phase === 'failed').length;
  const number = (n: number) => formatNumber(n, i18n.language);
  return (
    <Text size="sm" mb="sm" data-testid="upload-summary">
      {t('upload.summary', {
        ended: number(items.filter((i) => ended(i.phase)).length), all: number(items.length), stored: number(sum('stored') + sum('before')), duplicate: number(sum('duplicate')), skipped: number(sum('skipped') + sum('excluded')), failed: number(failed),
      })}
      {sum('quarantined') > 0 && <> · {t('upload.quarantined', { count: sum('quarantined'), number: number(sum('quarantined')) })}</>}
    </Text>
  );
}

function Row({ item, cancel, again }: { item: Item; cancel: (key: number) => void; again: (key: number) => void }) {
  const { t, i18n } = useTranslation();
  const name = plain(item.file.name);
  const moving = item.phase === 'sending' || item.phase === 'offline' || item.phase === 'queued';
  const percent = item.file.size === 0 ? 0 : Math.floor((100 * item.sent) / item.file.size);
  return (
    <li className={classes.row}>
      <div className={classes.what}>
        <Text size="sm" fw={600} className={classes.name}>{name}</Text>
        <Text size="xs" c="dimmed">{formatSize(item.file.size, i18n.language)} · {t(`upload.phase.${item.phase}`)}</Text>
      </div>
      <div className={classes.wide}>
        {moving && <Bar value={percent} color={item.phase === 'offline' ? 'orange' : undefined} aria-label={t('upload.percentOf', { name, percent })} />}
        {item.upload?.result && (item.phase === 'archiving' || item.phase === 'done') && <Outcome upload={item.upload} />}
        {item.phase === 'failed' && <Why error={item.error} reason={item.upload?.reason ?? ''} />}
      </div>
      <Group gap={6} wrap="nowrap">
        {!ended(item.phase) && <Button size="compact-xs" variant="default" onClick={() => cancel(item.key)} aria-label={t('upload.cancelNamed', { name })}>{t('upload.cancel')}</Button>}
        {(item.phase === 'failed' || item.phase === 'cancelled') && <Button size="compact-xs" variant="default" onClick={() => again(item.key)} aria-label={t('upload.againNamed', { name })}>{t('upload.again')}</Button>}
      </Group>
    </li>
  );
}
