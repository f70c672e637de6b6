import type { TFunction } from 'i18next';

import type { UploadItem } from '../api';
import { plain } from '../format';

// reasons are why something of an upload is not in the archive, as the server calls them.
export const reasons = ['not-a-message', 'empty', 'too-large', 'unreadable', 'link', 'special-file', 'unfinished', 'not-taken', 'damaged', 'encrypted', 'unsupported', 'limit', 'hidden', 'in-part', 'note'] as const;

// whyNot says in the reader's language why an item is not in the archive. What it is in
// detail, which is English, stands in the CSV.
export function whyNot(t: TFunction, item: Pick<UploadItem, 'reason' | 'detail'>): string {
  const known = reasons.find((r) => r === item.reason);
  return known ? t(`upload.reason.${known}`) : plain([item.reason, item.detail].filter(Boolean).join(': '));
}
