import { Button, Code, Group, Modal, Stack, Text } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';

import { proveDomain, type Domain, type DomainProof } from '../api';
import { ask } from '../failure';
import { formatDateTime } from '../format';
import { FailureNote } from '../shell/Failure';
import { Copy } from '../sources/Signs';
import { useAccount } from '../shell/usePage';
import { decided } from './queries';
import classes from './Routing.module.css';

// Proof shows the record that proves a domain, and has the DNS asked for it.
export function Proof({ domain, close }: { domain: Domain; close: () => void }) {
  const { t, i18n } = useTranslation();
  const zone = useAccount().tenant?.zone;
  const check = useMutation({ mutationFn: () => ask<DomainProof>(proveDomain({ path: { name: domain.name } })), onSuccess: decided });
  const proof = check.data ?? domain.proof;
  const at = (time: string) => formatDateTime(time, i18n.language, zone);
  return (
    <Modal opened onClose={close} title={t('proving.show', { domain: domain.name })} size="lg" closeButtonProps={{ 'aria-label': t('app.close') }}>
      <Stack>
        <Text size="sm">{t(proof.needed ? 'proving.needed' : 'proving.optional')} {t('proving.how')}</Text>
        {([['record', proof.record], ['value', proof.value]] as const).map(([what, text]) => (
          <div key={what}>
            <Text size="sm" fw={600}>{t(`proving.${what}`)} (TXT)</Text>
            <Group gap={4} wrap="nowrap"><Code className={classes.name}>{text}</Code><Copy value={text} label={t('proof.copy', { what: t(`proving.${what}`) })} /></Group>
          </div>
        ))}
        {check.error && <FailureNote error={check.error} compact />}
        <div role="status">
          {proof.proven_at && <Text size="sm" fw={600}>{t('proving.proven', { time: at(proof.proven_at) })}</Text>}
          {proof.problem && <Text size="sm" c="var(--m-bad)">{t(`proving.problem.${proof.problem}`)}</Text>}
          {proof.checked_at && <Text size="xs" c="dimmed">{t('proving.checkedAt', { time: at(proof.checked_at) })}</Text>}
        </div>
        <Group justify="flex-end">
          <Button variant="default" onClick={close}>{t('app.close')}</Button>
          <Button loading={check.isPending} onClick={() => check.mutate()}>{t('proving.check')}</Button>
        </Group>
      </Stack>
    </Modal>
  );
}
