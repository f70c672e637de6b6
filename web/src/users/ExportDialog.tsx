import { Button, Checkbox, Group, Modal, Radio, Stack, Text } from '@mantine/core';
import { IconDownload } from '@tabler/icons-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';

import { exportAddress } from './queries';

// ExportDialog asks what the file is to hold.
export function ExportDialog({ blocked, close }: { blocked: number; close: () => void }) {
  const { t } = useTranslation();
  const [passwords, setPasswords] = useState(false);
  const [disabled, setDisabled] = useState(false);
  const [separator, setSeparator] = useState<'comma' | 'semicolon'>('comma');
  return (
    <Modal opened onClose={close} title={t('users.exportTitle')} size="lg" closeButtonProps={{ 'aria-label': t('app.close') }}>
      <Stack gap="md">
        <Text size="sm">{t('users.exportIntro')}</Text>
        <Radio.Group label={t('users.exportPasswords')} value={passwords ? 'hash' : 'none'} onChange={(v) => setPasswords(v === 'hash')}>
          <Stack gap="xs" mt="xs">
            <Radio value="none" label={t('users.exportNone')} description={t('users.exportNoneHint')} />
            <Radio value="hash" label={t('users.exportHash')} description={t('users.exportHashHint')} />
          </Stack>
        </Radio.Group>
        <Radio.Group label={t('users.separator')} value={separator} onChange={(v) => setSeparator(v === 'semicolon' ? 'semicolon' : 'comma')}>
          <Stack gap="xs" mt="xs">
            <Radio value="comma" label={t('users.comma')} />
            <Radio value="semicolon" label={t('users.semicolon')} />
          </Stack>
        </Radio.Group>
        {blocked > 0 && <Checkbox checked={disabled} onChange={(e) => setDisabled(e.currentTarget.checked)} label={t('users.exportDisabled', { count: blocked })} description={t('users.exportDisabledHint')} />}
        <Text size="xs" c="dimmed">{t('users.exportLost')}</Text>
        <Group justify="flex-end">
          <Button variant="default" onClick={close}>{t('users.cancel')}</Button>
          <Button component="a" href={exportAddress(passwords, disabled, separator)} download leftSection={<IconDownload size={16} aria-hidden />} onClick={close}>{t('users.download')}</Button>
        </Group>
      </Stack>
    </Modal>
  );
}
