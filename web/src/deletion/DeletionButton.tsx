import { Button } from '@mantine/core';
import { IconTrash } from '@tabler/icons-react';
import { lazy, Suspense, useState } from 'react';
import { useTranslation } from 'react-i18next';

// Few ever ask for a deletion: nobody else loads the form.
const DeletionDialogue = lazy(() => import('./RequestDeletion').then((m) => ({ default: m.DeletionDialogue })));

// DeletionButton asks, in a dialogue, that messages are deleted.
export function DeletionButton({ ids, size }: { ids: readonly string[]; size: 'xs' | 'compact-sm' }) {
  const { t } = useTranslation();
  const [opened, setOpened] = useState(false);
  return (
    <>
      <Button variant="subtle" color="gray" size={size} leftSection={<IconTrash size={16} aria-hidden />} onClick={() => setOpened(true)}>{t('deletion.ask')}</Button>
      {opened && <Suspense><DeletionDialogue ids={ids} close={() => setOpened(false)} /></Suspense>}
    </>
  );
}
