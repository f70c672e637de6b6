import { Alert, Button, Checkbox, CopyButton, Group, Stack, Text } from '@mantine/core';
import { IconCopy, IconDownload } from '@tabler/icons-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';

import classes from './Logins.module.css';

// RecoveryCodes shows new codes, which nobody ever sees again.
export function RecoveryCodes({ codes, login, done }: { codes: readonly string[]; login: string; done: () => void }) {
  const { t } = useTranslation();
  const [kept, setKept] = useState(false);
  const text = `${t('logins.codesFile', { login })}\n\n${codes.join('\n')}\n`;
  const save = () => {
    const address = URL.createObjectURL(new Blob([text], { type: 'text/plain' }));
    const link = document.createElement('a');
    link.href = address;
    link.download = 'muniment-recovery-codes.txt';
    link.click();
    setTimeout(() => URL.revokeObjectURL(address), 10_000);
  };
  return (
    <Stack>
      <Alert color="orange" variant="light" role="status" title={t('logins.codesTitle')}>{t('logins.codesText')}</Alert>
      <ul className={classes.codes} aria-label={t('logins.recoveryCodes')}>
        {codes.map((c) => <li key={c}>{c}</li>)}
      </ul>
      <Group>
        <Button variant="default" size="xs" leftSection={<IconDownload size={16} aria-hidden />} onClick={save}>{t('logins.codesSave')}</Button>
        <CopyButton value={codes.join('\n')}>
          {({ copied, copy }) => (
            <Button variant="default" size="xs" leftSection={<IconCopy size={16} aria-hidden />} onClick={copy}>{t(copied ? 'logins.copied' : 'logins.copy')}</Button>
          )}
        </CopyButton>
      </Group>
      <Checkbox label={t('logins.codesKept')} checked={kept} onChange={(e) => setKept(e.currentTarget.checked)} />
      <Group><Button disabled={!kept} onClick={done}>{t('logins.continue')}</Button></Group>
      <Text size="xs" c="dimmed">{t('logins.codesOnce')}</Text>
    </Stack>
  );
}
