import { ActionIcon, Text, TextInput } from '@mantine/core';
import { IconX } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';

import { formatSize, plain } from '../format';
import type { Item } from './sender';
import classes from './Upload.module.css';

type Props = { items: readonly Item[]; change: (key: number, change: Partial<Item>) => void; remove: (key: number) => void };

// shown bounds the list: thousands of fields would make the page slow.
const shown = 200;

// Chosen lists the files that were chosen, with what can be said of each.
export function Chosen({ items, change, remove }: Props) {
  const { t } = useTranslation();
  return (
    <>
      <ul className={classes.list}>
        {items.slice(0, shown).map((item) => <Row key={item.key} item={item} change={change} remove={remove} />)}
      </ul>
      {items.length > shown && <Text size="sm" c="dimmed" mt="xs">{t('upload.more', { count: items.length - shown })}</Text>}
    </>
  );
}

function Row({ item, change, remove }: { item: Item } & Omit<Props, 'items'>) {
  const { t, i18n } = useTranslation();
  const name = plain(item.file.name);
  return (
    <li className={classes.row}>
      <div className={classes.what}>
        <Text size="sm" fw={600} className={classes.name}>{name}</Text>
        <Text size="xs" c="dimmed">{formatSize(item.file.size, i18n.language)}</Text>
      </div>
      {item.kind === 'document' && (
        <TextInput size="xs" className={classes.wide} aria-label={t('upload.titleOf', { name })} placeholder={t('upload.docTitle')} value={item.title} maxLength={250} onChange={(e) => change(item.key, { title: e.currentTarget.value })} />
      )}
      {item.kind === 'document' && (
        <TextInput size="xs" type="date" aria-label={t('upload.dateOf', { name })} value={item.date} min="1800-01-01" max="9999-12-31" onChange={(e) => change(item.key, { date: e.currentTarget.value })} />
      )}
      <TextInput size="xs" aria-label={t('upload.categoryOf', { name })} placeholder={t('upload.category')} value={item.category} maxLength={200} onChange={(e) => change(item.key, { category: e.currentTarget.value })} />
      <ActionIcon variant="subtle" color="gray" aria-label={t('upload.removeNamed', { name })} onClick={() => remove(item.key)}><IconX size={16} aria-hidden /></ActionIcon>
    </li>
  );
}
