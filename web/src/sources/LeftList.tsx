import { Paper, Table, Text, Title } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';

import { formatDateTime, formatSize, plain } from '../format';
import { leftQuery } from '../queries';
import { FailureNote } from '../shell/Failure';
import { useAccount } from '../shell/usePage';
import { folderIn } from './reason';
import { useReason } from './useReason';
import classes from './Sources.module.css';

// LeftList shows what stays on the server of a mailbox, and why.
export function LeftList({ id }: { id: string }) {
  const { t, i18n } = useTranslation();
  const zone = useAccount().tenant?.zone;
  const left = useQuery(leftQuery(id));
  const items = left.data?.items ?? [];
  const reason = useReason();
  return (
    <section aria-labelledby="left" style={{ marginTop: 32 }}>
      <Title order={2} size="h4" id="left" mb={4}>{t('sources.leftTitle')}</Title>
      {left.error && <FailureNote error={left.error} retry={() => void left.refetch()} />}
      {left.data && <Text size="sm" c="dimmed" mb="sm">{t(items.length > 0 ? 'sources.leftIntro' : 'sources.leftNone')}</Text>}
      {items.length > 0 && (
        <Paper withBorder radius="md" className={`${classes.panel} ${classes.scroll}`} tabIndex={0} role="region" aria-label={t('sources.leftTitle')}>
          <Table>
            <Table.Thead>
              <Table.Tr>
                <Table.Th>{t('sources.leftFolder')}</Table.Th><Table.Th>{t('sources.leftItem')}</Table.Th><Table.Th className={classes.number}>{t('sources.leftSize')}</Table.Th>
                <Table.Th>{t('sources.leftSince')}</Table.Th><Table.Th>{t('sources.leftWhy')}</Table.Th>
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {items.map((item) => (
                <Table.Tr key={`${item.folder} ${item.item}`}>
                  <Table.Td className={classes.breakable} title={plain(item.folder)}>{plain(folderIn(item.folder))}</Table.Td><Table.Td className={classes.breakable}>{plain(item.item)}</Table.Td>
                  <Table.Td className={`${classes.number} ${classes.when}`}>{formatSize(item.bytes, i18n.language)}</Table.Td>
                  <Table.Td className={classes.when}>{formatDateTime(item.at, i18n.language, zone)}</Table.Td>
                  <Table.Td>{reason(item.detail) || t(`completeness.outcome.${item.outcome === 'refused' ? 'refused' : 'left'}`)}</Table.Td>
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        </Paper>
      )}
    </section>
  );
}
