import { Alert, Button, Code, Group, Stack, Text } from '@mantine/core';
import { IconAlertTriangle, IconX } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';

import type { Chip, SearchProblem } from '../api';
import { fieldNames } from './fieldNames';
import classes from './Conditions.module.css';
import { characters, pieces, removeRange } from './queryText';

// Chips shows the operators of a search as they were understood; each can be taken
// away by itself.
export function Chips({ q, chips, search }: { q: string; chips: readonly Chip[]; search: (q: string) => void }) {
  const { t } = useTranslation();
  if (chips.length === 0) {
    return null;
  }
  return (
    <ul className={classes.chips} aria-label={t('search.chips')}>
      {chips.map((chip) => {
        const known = fieldNames.find((f) => f === chip.field);
        const label = `${chip.not ? `${t('search.not')} ` : ''}${known ? t(`search.fieldName.${known}`) : chip.field}: ${chip.value}`;
        return (
          <li key={`${chip.start} ${label}`}>
            <button type="button" className={classes.chip} aria-label={t('search.removeChip', { chip: label })} onClick={() => search(removeRange(q, chip.start, chip.end))}>
              <span>{label}</span><IconX size={14} aria-hidden />
            </button>
          </li>
        );
      })}
    </ul>
  );
}

// QueryMistake shows where a query was not understood, why, and what was perhaps meant.
export function QueryMistake({ q, problem, search, id }: { q: string; problem: SearchProblem; search: (q: string) => void; id: string }) {
  const { t } = useTranslation();
  // A mistake at the end, such as a missing parenthesis, has no characters of its
  // own: mark a space after the text.
  const empty = problem.end <= problem.start;
  const text = empty && problem.start >= characters(q) ? `${q} ` : q;
  const marked = pieces(text, [{ start: problem.start, end: empty ? problem.start + 1 : problem.end }]);
  return (
    <Alert color="red" variant="light" icon={<IconAlertTriangle aria-hidden />} role="alert" id={id} className={classes.mistake}>
      <Stack gap={6} align="flex-start">
        <Text size="sm" fw={600}>{problem.detail ?? problem.title}</Text>
        <Code className={classes.query} data-testid="query-mistake" aria-label={`${t('search.problemAt')} ${q}`}>
          {marked.map((piece, i) => (piece.marked ? <mark key={i} className={classes.wrong}>{piece.text.replace(/ /gu, '\u00a0')}</mark> : <span key={i}>{piece.text}</span>))}
        </Code>
        {problem.proposal !== undefined && problem.proposal !== '' && (
          <Group gap={6}>
            <Text size="sm">{t('search.didYouMean')}</Text>
            <Button variant="light" size="compact-sm" onClick={() => search(problem.proposal ?? '')}>{problem.proposal}</Button>
          </Group>
        )}
      </Stack>
    </Alert>
  );
}
