import { Button, Tooltip } from '@mantine/core';
import { IconTrash } from '@tabler/icons-react';
import { lazy, Suspense, useState } from 'react';
import { useTranslation } from 'react-i18next';

// Few ever ask for a deletion: nobody else loads the form.
const DeletionDialogue = lazy(() => import('./RequestDeletion').then((m) => ({ default: m.DeletionDialogue })));

type Props = { ids: readonly string[]; size: 'xs' | 'compact-sm'; classNames?: { label?: string | undefined; section?: string | undefined } };

// DeletionButton asks, in a dialogue, that messages are deleted.
export function DeletionButton({ ids, size, classNames }: Props) {
  const { t } = useTranslation();
  const [opened, setOpened] = useState(false);
  return (
    <>
      <Tooltip label={t('deletion.ask')} disabled={!classNames}>
        <Button variant="subtle" color="gray" size={size} leftSection={<IconTrash size={16} aria-hidden />} onClick={() => setOpened(true)} aria-label={t('deletion.ask')} {...(classNames && { classNames })}>{t('deletion.ask')}</Button>
      </Tooltip>
      {opened && <Suspense><DeletionDialogue ids={ids} close={() => setOpened(false)} /></Suspense>}
    </>
  );
}
