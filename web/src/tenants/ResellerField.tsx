import { NativeSelect } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';

import { plain } from '../format';
import { FailureNote } from '../shell/Failure';
import { resellersQuery } from './queries';

// ResellerField lets an operator choose who looks after a customer, by short name.
export function ResellerField({ value, change }: { value: string; change: (reseller: string) => void }) {
  const { t } = useTranslation();
  const { data, error } = useQuery(resellersQuery);
  const known = (data?.resellers ?? []).map((r) => ({ value: r.slug, label: `${plain(r.name)} (${r.slug})` }));
  const own = value !== '' && !known.some((r) => r.value === value) ? [{ value, label: value }] : []; // until they are known
  return (
    <>
      <NativeSelect label={t('tenants.reseller')} description={t('tenants.resellerHint')} value={value} data={[{ value: '', label: t('tenants.noReseller') }, ...own, ...known]} onChange={(e) => change(e.currentTarget.value)} />
      {error && <FailureNote error={error} compact />}
    </>
  );
}
