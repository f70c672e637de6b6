import { Alert, Button, Code, Group, Stack, Table, Text } from '@mantine/core';
import { IconCheck, IconCircleCheck, IconX } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';

import type { DirectoryFinding, DirectoryNote } from '../api';
import { formatNumber, plain } from '../format';
import { Copy } from '../sources/Signs';
import classes from './Directories.module.css';
import { Trouble } from './Trouble';

// Finding shows how far a test came, whom it has found, and what went wrong.
export function Finding({ finding: f, pin, pinned }: { finding: DirectoryFinding; pin?: ((sum: string) => void) | undefined; pinned: string }) {
  const { t, i18n } = useTranslation();
  const sum = f.certificate;
  return (
    <Stack gap="sm" role="status" data-testid="directory-finding">
      {f.ok && (
        <Alert variant="light" color="teal" py={8} icon={<IconCircleCheck aria-hidden />} title={t('directories.testOk')}>
          {f.people > 0 && t('directories.found', { count: f.people, number: formatNumber(f.people, i18n.language), shared: formatNumber(f.shared, i18n.language) })}
        </Alert>
      )}
      {f.problem && <Trouble problem={f.problem} />}
      <ul className={classes.steps}>
        {f.steps.map((s) => (
          <li key={s.what} data-ok={s.ok}>
            {s.ok ? <IconCheck size={18} aria-hidden /> : <IconX size={18} aria-hidden />}
            <span className={classes.breakable}>
              {t(`directories.step.${s.what}`)}: {t(s.ok ? 'smarthost.worked' : 'smarthost.failed')}
              {s.text && <Text span size="xs" c="dimmed" display="block">{s.what === 'tls' && s.text.startsWith('none') ? t('directories.tlsNone') : plain(s.text)}</Text>}
            </span>
          </li>
        ))}
      </ul>
      {sum && (
        <div>
          <Text size="sm" fw={600}>{t('smarthost.certificate')}</Text>
          <Group gap={4} wrap="nowrap"><Code className={classes.breakable}>{sum}</Code><Copy value={sum} label={t('proof.copy', { what: t('smarthost.certificate') })} /></Group>
          {pin && (sum === pinned
            ? <Text size="sm" c="dimmed" mt={4}>{t('smarthost.pinned')}</Text>
            : <Button size="xs" variant="default" mt={6} onClick={() => pin(sum)}>{t('smarthost.pinThis')}</Button>)}
        </div>
      )}
      {f.first.length > 0 && (
        <div className={classes.scroll}>
          <Text size="sm" fw={600}>{t('directories.first')}</Text>
          <Table aria-label={t('directories.first')}>
            <Table.Thead><Table.Tr><Table.Th>{t('directories.user')}</Table.Th><Table.Th>{t('directories.personName')}</Table.Th><Table.Th>{t('directories.addresses')}</Table.Th></Table.Tr></Table.Thead>
            <Table.Tbody>
              {f.first.map((p) => (
                <Table.Tr key={p.login}>
                  <Table.Td>{plain(p.login)}{p.disabled && <Text size="xs" c="dimmed">{t('directories.kinds.disabled')}</Text>}</Table.Td>
                  <Table.Td>{plain(p.name)}</Table.Td>
                  <Table.Td className={classes.breakable}>{p.addresses.length > 0 ? plain(p.addresses.join(', ')) : t('directories.none')}</Table.Td>
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        </div>
      )}
      <Notes notes={f.notes} />
    </Stack>
  );
}

// Notes says what was left out.
export function Notes({ notes }: { notes: readonly DirectoryNote[] }) {
  const { t } = useTranslation();
  if (notes.length === 0) {
    return null;
  }
  const shown = notes.slice(0, 20);
  return (
    <div>
      <Text size="sm" fw={600}>{t('directories.notes')}</Text>
      <ul>
        {shown.map((n) => <li key={n.code + n.what}><Text size="sm" className={classes.breakable}>{t(`directories.note.${n.code}`)} {plain(n.what)}</Text></li>)}
      </ul>
      {notes.length > shown.length && <Text size="sm" c="dimmed">{t('directories.moreNotes', { count: notes.length - shown.length })}</Text>}
    </div>
  );
}
