import type { TFunction } from 'i18next';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

import { reasons, whyNot } from './reasons';

test('every reason that the server gives has a text', () => {
  const source = readFileSync(join(import.meta.dirname, '../../../internal/ingest/importer/report.go'), 'utf8');
  const given = [...source.matchAll(/^\t[A-Z]\w+ +(?:Reason )?= "([a-z-]+)"/gmu)].map(([, r]) => r);
  expect([...reasons].sort()).toEqual(given.sort());
});

test('a reason is said in the language of the reader, another as it is', () => {
  const say = ((key: string) => key) as unknown as TFunction;
  expect(whyNot(say, { reason: 'damaged', detail: 'unexpected EOF' })).toBe('upload.reason.damaged');
  expect(whyNot(say, { reason: 'new', detail: 'x' })).toBe('new: x');
});
