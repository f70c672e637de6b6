import { Checkbox, Skeleton, Stack, Text, Title, UnstyledButton } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';

import type { Bucket } from '../api';
import { queryProblem } from '../failure';
import { formatNumber } from '../format';
import { facetsQuery } from '../queries';
import { FailureNote } from '../shell/Failure';
import { useLate } from '../shell/useLate';
import classes from './FacetPanel.module.css';
import { addTerm, hasTerm, removeTerm } from './queryText';

const few = 6;
const groups = ['years', 'has_attachment', 'categories', 'senders'] as const;
type Group = (typeof groups)[number];

// FacetPanel tells how the results are distributed; a click narrows the search or
// widens it again.
export function FacetPanel({ q, search }: { q: string; search: (q: string) => void }) {
  const { t } = useTranslation();
  const facets = useQuery(facetsQuery(q));
  const late = useLate(facets.isPending);
  if (facets.isPending) {
    return late ? <Stack gap="sm" aria-hidden>{Array.from({ length: 9 }, (_, i) => <Skeleton key={i} height={16} width={`${90 - (i % 3) * 18}%`} />)}</Stack> : null;
  }
  if (facets.error) {
    return queryProblem(facets.error) ? null : <FailureNote error={facets.error} compact retry={() => void facets.refetch()} />;
  }
  const { data } = facets;
  const filled = groups.filter((g) => data[g].length > 0);
  return (
    <Stack gap="lg">
      {filled.length === 0 && <Text size="sm" c="dimmed">{t('facets.none')}</Text>}
      {filled.map((g) => <FacetGroup key={g} group={g} buckets={data[g]} q={q} search={search} />)}
      {!data.exact && <Text size="xs" c="dimmed">{t('facets.inexact')}</Text>}
    </Stack>
  );
}

function FacetGroup({ group, buckets, q, search }: { group: Group; buckets: Bucket[]; q: string; search: (q: string) => void }) {
  const { t } = useTranslation();
  const [all, setAll] = useState(false);
  return (
    <section aria-labelledby={`facet-${group}`}>
      <Title order={3} className={classes.title} id={`facet-${group}`}>{t(`facets.${group}`)}</Title>
      <ul className={classes.buckets}>
        {(all ? buckets : buckets.slice(0, few)).map((bucket) => <Choice key={bucket.value} group={group} bucket={bucket} q={q} search={search} />)}
      </ul>
      {buckets.length > few && (
        <UnstyledButton className={classes.more} aria-expanded={all} onClick={() => setAll(!all)}>{t(all ? 'facets.showLess' : 'facets.showAll')}</UnstyledButton>
      )}
    </section>
  );
}

function bucketLabel(group: Group, bucket: Bucket, yes: string, no: string): string {
  if (group === 'has_attachment') {
    return bucket.value === 'yes' ? yes : no;
  }
  return bucket.label || bucket.value;
}

function Choice({ group, bucket, q, search }: { group: Group; bucket: Bucket; q: string; search: (q: string) => void }) {
  const { t, i18n } = useTranslation();
  const active = hasTerm(q, bucket.query);
  const label = bucketLabel(group, bucket, t('facets.yes'), t('facets.no'));
  const number = formatNumber(bucket.count, i18n.language);
  return (
    <li className={classes.bucket} data-active={active || undefined}>
      <Checkbox
        size="xs"
        checked={active}
        onChange={() => search(active ? removeTerm(q, bucket.query) : addTerm(q, bucket.query))}
        label={<span className={classes.label} title={bucket.label ? `${bucket.label} (${bucket.value})` : label}>{label}</span>}
        aria-label={t('facets.bucket', { label, number, count: bucket.count })}
        classNames={{ body: classes.body, labelWrapper: classes.wrapper, label: classes.text }}
      />
      <span className={classes.count} aria-hidden>{number}</span>
    </li>
  );
}
