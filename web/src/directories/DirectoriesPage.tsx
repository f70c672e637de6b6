import { Alert, Badge, Button, Group, Paper, Stack, Text, Title } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { IconPlus } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';

import type { Directory } from '../api';
import { formatDateTime, formatNumber } from '../format';
import { FailureNote } from '../shell/Failure';
import { Titled } from '../shell/ManualLink';
import { useAccount, useTitle } from '../shell/usePage';
import classes from './Directories.module.css';
import { kinds } from './draft';
import { directoriesQuery } from './queries';
import { Trouble } from './Trouble';

// DirectoriesPage shows an administrator where users come from.
export function DirectoriesPage() {
  const { t } = useTranslation();
  useTitle(t('directories.title'));
  const allowed = useAccount().role === 'tenant-admin';
  const all = useQuery({ ...directoriesQuery, enabled: allowed });
  const list = all.data?.directories;
  return (
    <main className={classes.narrow}>
      <Titled><Title order={1} size="h2" mb="sm">{t('directories.title')}</Title></Titled>
      {!allowed && <Text role="alert">{t('directories.forbidden')}</Text>}
      {allowed && (
        <Stack gap="md">
          <Text size="sm" c="dimmed" maw={680}>{t('directories.intro')}</Text>
          {all.error && <FailureNote error={all.error} retry={() => void all.refetch()} />}
          {list?.length === 0 && <Alert variant="light" color="blue">{t('directories.empty')}</Alert>}
          {list?.map((d) => <Row key={d.id} directory={d} />)}
          {list && (
            <Paper withBorder radius="md" p="lg" className={classes.panel} component="section" aria-labelledby="add">
              <Title order={2} size="h5" mb="sm" id="add">{t('directories.add')}</Title>
              <Stack gap="sm">
                {kinds.map((kind) => (
                  <Group key={kind} justify="space-between" gap="sm">
                    <div>
                      <Text size="sm" fw={600}>{t(`directories.kind.${kind}`)}</Text>
                      <Text size="sm" c="dimmed" maw={560}>{t(`directories.kindHint.${kind}`)}</Text>
                    </div>
                    <Button component={Link} to={`/directories/new-${kind}`} variant="default" leftSection={<IconPlus size={16} aria-hidden />} aria-label={t('directories.addKind', { kind: t(`directories.kind.${kind}`) })}>
                      {t('directories.addButton')}
                    </Button>
                  </Group>
                ))}
              </Stack>
            </Paper>
          )}
        </Stack>
      )}
    </main>
  );
}

function Row({ directory: d }: { directory: Directory }) {
  const { t, i18n } = useTranslation();
  const zone = useAccount().tenant?.zone;
  return (
    <Paper withBorder radius="md" className={classes.panel}>
      <div className={classes.card}>
        <div>
          <Group gap="xs">
            <Link to="/directories/$id" params={{ id: d.id }}><Text span fw={600}>{d.name}</Text></Link>
            {d.disabled && <Badge variant="light" color="gray" radius="sm" tt="none" c="var(--m-soft)">{t('directories.off')}</Badge>}
          </Group>
          <Text size="sm" c="dimmed">
            {t(`directories.kind.${d.kind}`)} · {t('directories.users', { count: d.users, number: formatNumber(d.users, i18n.language) })}
            {d.kind === 'ldap' && <> · {d.last_at ? t('directories.last', { date: formatDateTime(d.last_at, i18n.language, zone) }) : t('directories.never')}</>}
          </Text>
        </div>
        {d.problem && <Trouble problem={d.problem} />}
      </div>
    </Paper>
  );
}
