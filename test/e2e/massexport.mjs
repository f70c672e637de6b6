import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { it } from 'node:test';
import { promisify } from 'node:util';

import { assertAccessible, assertOnlyHome, logIn, openPage, screenshot } from './browser.mjs';

const run = promisify(execFile);
const root = new URL('../../', import.meta.url).pathname;
const password = 'kastanie-am-fluss-17';

// makeAuditor makes one on the command line, beside the running server.
async function makeAuditor(world) {
  const file = join(world.server.data, 'spool', 'e2e-export');
  await writeFile(file, `${password}\n`, { mode: 0o600 });
  const binary = process.env.MUNIMENT_BINARY ?? join(root, 'bin', 'muniment');
  await run(binary, ['--data', world.server.data, 'user', 'create', 'nordlicht', 'rolf', '--role', 'auditor', '--name', 'Rolf Revisor', '--password-file', file]);
}

export function massExport(world) {
  it('hands out the whole archive only to whom somebody else has allowed it', async () => {
    await makeAuditor(world);
    const rolf = await openPage(world.browser, world.server);
    const { page } = rolf;
    await logIn(rolf, { login: 'rolf', password });
    await page.getByRole('link', { name: /^Access requests/u }).click();
    await page.getByRole('switch', { name: 'Export: hand out as one proof bundle' }).check({ force: true });
    await page.getByText('None: the whole archive.').waitFor();
    await page.getByRole('textbox', { name: /^Reason/u }).fill('Betriebsprüfung 2026');
    await assertAccessible(page, 'request for an export');
    await page.getByRole('button', { name: 'Send request' }).click();
    const mine = page.getByRole('article', { name: 'Request for the whole archive' });
    await mine.getByText('Waits for a decision').waitFor();
    assert.equal(await mine.getByRole('link').count(), 0, 'it could be downloaded before anybody has allowed it');
    const { requests } = await page.evaluate(() => fetch('/api/v1/access-requests').then((r) => r.json()));
    const { id } = requests.find((r) => r.kind === 'export');
    const take = (tab) => tab.context.request.get(`${tab.home}/api/v1/export.zip?grant=${id}`);
    assert.ok((await take(rolf)).status() >= 400, 'it was handed out before anybody has allowed it');

    const anna = await openPage(world.browser, world.server);
    await logIn(anna, world.admin);
    await anna.visit('/overview');
    await anna.page.getByRole('link', { name: '1 access request waits for your decision.' }).click();
    const asked = anna.page.getByRole('article', { name: 'Request for the whole archive' });
    await asked.getByText('Export: hand out as one proof bundle').waitFor();
    await asked.getByText('Betriebsprüfung 2026').waitFor();
    await asked.getByLabel('Note on the decision').fill('abgestimmt');
    await screenshot(anna.page, 'export-decision');
    await asked.getByRole('button', { name: 'Approve access to the whole archive' }).click();
    await asked.getByText('Approved').waitFor();
    assert.equal(await asked.getByRole('link').count(), 0, 'whoever approves could download');
    assert.ok((await take(anna)).status() >= 400, 'it was handed out to who has approved it');

    await page.reload();
    await assertAccessible(page, 'an export that is approved');
    await screenshot(page, 'export-approved');
    const [download] = await Promise.all([page.waitForEvent('download'), mine.getByRole('link', { name: 'Download the bundle' }).click()]);
    const zip = await readFile(await download.path());
    assert.equal(zip.subarray(0, 2).toString(), 'PK');
    assert.ok(zip.length > 50_000, `the bundle has ${zip.length} bytes`);
    await mine.getByRole('link', { name: 'Read mail' }).click();
    await page.getByText('You are reading mail of the whole archive.').waitFor();
    await page.getByRole('button', { name: 'End access' }).click();
    await mine.getByText('Ended', { exact: true }).first().waitFor();
    assert.ok((await take(rolf)).status() >= 400, 'it was handed out after its end');
    for (const tab of [rolf, anna]) {
      assertOnlyHome(tab);
      assert.deepEqual(tab.record.errors, []);
      await tab.context.close();
    }
  });
}
