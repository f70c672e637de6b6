import { Paper, SimpleGrid, Table, Title } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';

import type { Dashboard, TenantTop } from '../api';
import { formatNumber, formatSize, plain } from '../format';
import classes from './OverviewPage.module.css';

// Tops are the tenants that archive most and take most room.
export function Tops({ of }: { of: Dashboard }) {
  const { t } = useTranslation();
  if (of.busiest.length + of.largest.length === 0) {
    return null;
  }
  return (
    <SimpleGrid cols={{ base: 1, md: 2 }} mt="lg">
      <Top id="busiest" title={t('board.busiest')} list={of.busiest} />
      <Top id="largest" title={t('board.largest')} list={of.largest} />
    </SimpleGrid>
  );
}

function Top({ id, title, list }: { id: string; title: string; list: readonly TenantTop[] }) {
  const { t, i18n } = useTranslation();
  if (list.length === 0) {
    return null;
  }
  return (
    <Paper withBorder p="md" radius="md" component="section" aria-labelledby={id} className={classes.figure}>
      <Title order={2} size="h5" id={id} mb="xs">{title}</Title>
      <Table aria-labelledby={id}>
        <Table.Thead><Table.Tr><Table.Th>{t('tenants.name')}</Table.Th><Table.Th ta="right">{t('admin.messages')}</Table.Th><Table.Th ta="right">{t('board.size')}</Table.Th></Table.Tr></Table.Thead>
        <Table.Tbody>
          {list.map((x) => (
            <Table.Tr key={x.id}>
              <Table.Td className={classes.name}><Link to="/tenants/$id" params={{ id: x.id }} className={classes.link}>{plain(x.name)}</Link></Table.Td>
              <Table.Td ta="right">{formatNumber(x.messages, i18n.language)}</Table.Td>
              <Table.Td ta="right" className={classes.number}>{formatSize(x.bytes, i18n.language)}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Paper>
  );
}
