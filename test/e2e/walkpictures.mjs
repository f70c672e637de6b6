// The pictures of the manual, in both languages. They replace those of the repository
// only on demand (MUNIMENT_SCREENSHOTS=1); otherwise they go to the pictures of the walk.
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { shrink } from './png.mjs';

const repository = new URL('../../docs/manual/', import.meta.url).pathname;

const openSeal = (page) => page.getByTestId('seal').getByRole('button').first().click();

// manualPictures are the pages shown: by whom, where, how high, and what is done before.
export const manualPictures = [
  { name: 'search', role: 'tenant-admin', path: '/?q=Rechnung', height: 560 },
  { name: 'message', role: 'tenant-admin', path: '/?id={message}', height: 640, act: openSeal },
  { name: 'access', role: 'auditor', path: '/access', height: 860 },
  { name: 'records', role: 'dpo', path: '/access/records', height: 560 },
  { name: 'log', role: 'auditor', path: '/log', height: 760 },
  { name: 'sources', role: 'tenant-admin', path: '/sources', height: 500 },
  { name: 'quarantine', role: 'tenant-admin', path: '/quarantine', height: 480 },
  { name: 'users', role: 'tenant-admin', path: '/users', height: 520 },
  { name: 'directory', role: 'tenant-admin', path: '/directories/{directory}', height: 760 },
  { name: 'customers', role: 'reseller', path: '/tenants', height: 420 },
  { name: 'first-start', role: 'newcomer', path: '/setup#{first}', height: 700 },
  { name: 'sealing', role: 'operator', path: '/sealing', height: 700 },
];

export const width = 1120; // pixels: a column beside the page still fits

// keep makes a picture of what a page shows.
export async function keep(page, picture, language, folder) {
  const dir = process.env.MUNIMENT_SCREENSHOTS ? join(repository, language) : join(folder, 'manual', language);
  await mkdir(dir, { recursive: true });
  await writeFile(join(dir, `${picture.name}.png`), shrink(await page.screenshot({ animations: 'disabled', caret: 'hide' })));
}
