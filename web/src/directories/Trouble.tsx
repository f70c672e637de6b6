import { Button, Code, Group, Text } from '@mantine/core';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';

import type { DirectoryProblem } from '../api';
import { plain } from '../format';
import { Copy } from '../sources/Signs';
import { codes } from './codes';
import classes from './Directories.module.css';

// Trouble says what is wrong and what to do; what the server has said is one click away.
export function Trouble({ problem }: { problem: DirectoryProblem }) {
  const { t } = useTranslation();
  const [open, setOpen] = useState(false);
  const code = codes.find((c) => c === problem.code) ?? 'internal';
  const detail = plain([problem.code, problem.text, problem.detail].filter(Boolean).join('\n'));
  return (
    <div className={classes.trouble} role="alert">
      <Text size="sm" fw={600}>{t(`directories.problem.${code}`)}</Text>
      <Group gap={4} mt={4} ml={-8}>
        <Button variant="subtle" color="gray" size="compact-xs" aria-expanded={open} onClick={() => setOpen(!open)}>{t(open ? 'sources.hideDetails' : 'sources.details')}</Button>
        {open && <Copy value={detail} label={t('sources.copyDetails')} />}
      </Group>
      {open && <Code className={classes.detail}>{detail}</Code>}
    </div>
  );
}
