import { Kbd, Modal, Table, Text } from '@mantine/core';
import { useTranslation } from 'react-i18next';

import { useShortcutsOn } from './shortcuts';

const rows = [
  { keys: ['/'], effect: 'focus' },
  { keys: ['j', '↓'], effect: 'next' },
  { keys: ['k', '↑'], effect: 'previous' },
  { keys: ['Enter'], effect: 'open' },
  { keys: ['Esc'], effect: 'leave' },
  { keys: ['d'], effect: 'download' },
  { keys: ['x', 'Space'], effect: 'choose' },
  { keys: ['?'], effect: 'help' },
] as const;

export function HelpDialog({ opened, onClose }: { opened: boolean; onClose: () => void }) {
  const { t } = useTranslation();
  const on = useShortcutsOn();
  return (
    <Modal opened={opened} onClose={onClose} title={t('keys.title')} closeButtonProps={{ 'aria-label': t('app.close') }} centered>
      {!on && <Text size="sm" c="dimmed" mb="sm">{t('keys.off')}</Text>}
      <Table verticalSpacing={8}>
        <Table.Thead>
          <Table.Tr><Table.Th>{t('keys.key')}</Table.Th><Table.Th>{t('keys.effect')}</Table.Th></Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {rows.map((row) => (
            <Table.Tr key={row.effect}>
              <Table.Td>
                {row.keys.map((key, i) => (
                  <span key={key}>{i > 0 && ` ${t('keys.or')} `}<Kbd>{key === 'Space' ? t('keys.space') : key}</Kbd></span>
                ))}
              </Table.Td>
              <Table.Td>{t(`keys.${row.effect}`)}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Modal>
  );
}
