import { Button, Group, Text } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import { IconCertificate, IconLock } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';

import { DeletionButton } from '../deletion/DeletionButton';
import { mayDelete } from '../deletion/queries';
import { formatNumber } from '../format';
import { seesHolds } from '../retention/queries';
import { useAccount } from '../shell/usePage';
import { mostChosen, type Chosen } from './choice';
import classes from './SearchPage.module.css';

type Props = { chosen: Chosen; shown: readonly string[]; address: string; clear: () => void };

// ChoiceBar says how many messages are chosen and what can be done with them. It is
// there as long as any are, also if they are not in the list any more.
export function ChoiceBar({ chosen, shown, address, clear }: Props) {
  const { t, i18n } = useTranslation();
  const { role } = useAccount();
  const deletes = mayDelete(role);
  const number = (n: number) => formatNumber(n, i18n.language);
  const elsewhere = chosen.size - shown.filter((id) => chosen.has(id)).length;
  const full = chosen.size >= mostChosen;
  return (
    <div className={classes.choice} role="group" aria-label={t('search.choice')} data-none={chosen.size === 0 || undefined}>
      <div role="status">
        {chosen.size > 0 && (
          <Text size="sm" fw={600} span>
            {t('search.chosen', { count: chosen.size, number: number(chosen.size) })}
            {elsewhere > 0 && <Text size="sm" fw={400} span>{` ${t('search.chosenElsewhere', { count: elsewhere, number: number(elsewhere) })}`}</Text>}
          </Text>
        )}
        {full && <Text size="xs" c="dimmed">{t('search.chosenFull', { number: number(mostChosen) })}</Text>}
      </div>
      {chosen.size > 0 && (
        <Group gap={6}>
          <Button component="a" href={address} download variant="light" size="compact-sm" leftSection={<IconCertificate size={16} aria-hidden />}>{t('search.chosenBundle')}</Button>
          {seesHolds(role) && <Button variant="light" size="compact-sm" leftSection={<IconLock size={16} aria-hidden />} renderRoot={(props) => <Link to="/retention" search={{ messages: [...chosen].join(' ') }} {...props} />}>{t('retention.place')}</Button>}
          {deletes && <DeletionButton ids={[...chosen]} size="compact-sm" />}
          <Button variant="subtle" color="gray" size="compact-sm" onClick={clear}>{t('search.chosenClear')}</Button>
        </Group>
      )}
    </div>
  );
}
