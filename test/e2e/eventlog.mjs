import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it } from 'node:test';
import { promisify } from 'node:util';

import { assertAccessible, assertOnlyHome, logIn, openPage, screenshot } from './browser.mjs';

const run = promisify(execFile);
const root = new URL('../../', import.meta.url).pathname;
const muniment = (...args) => run(process.env.MUNIMENT_BINARY ?? join(root, 'bin', 'muniment'), args);

export function eventLog(world) {
  it('keeps the event log from users', async () => {
    const tab = await openPage(world.browser, world.server);
    await logIn(tab, world.user);
    assert.equal(await tab.page.getByRole('link', { name: 'Event log' }).count(), 0);
    await tab.visit('/log');
    await tab.page.getByText('Administrators, auditors and data-protection officers see this page.').waitFor();
    await tab.context.close();
  });

  it('shows the log, compares it with the messages and with a receipt that was kept', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'muniment-receipts-'));
    const tab = await openPage(world.browser, world.server);
    const { page } = tab;
    await logIn(tab, world.admin);
    await page.getByRole('link', { name: 'Administration' }).click();
    await page.getByRole('link', { name: 'Event log' }).click();
    await page.getByText('Logged in').first().waitFor();

    const receipt = join(dir, 'kept.json');
    const downloading = page.waitForEvent('download');
    await page.getByRole('link', { name: 'Receipt of this moment' }).click();
    await (await downloading).saveAs(receipt);

    await page.getByRole('button', { name: 'Compare', exact: true }).click();
    await page.getByText('Messages and log agree').waitFor({ timeout: 60_000 });

    await page.getByLabel('Earlier').selectOption('file');
    await page.locator('input[type=file]').setInputFiles(receipt);
    await page.getByRole('button', { name: 'Prove', exact: true }).click();
    await page.getByText('Nothing is missing', { exact: true }).waitFor();
    await assertAccessible(page, 'event log');
    await screenshot(page, 'event-log');

    // The same without the archive.
    const proof = join(dir, 'proof.json');
    const later = join(dir, 'later.json');
    const second = page.waitForEvent('download');
    await page.getByRole('link', { name: 'Proof as a file' }).click();
    await (await second).saveAs(proof);
    const log = join(dir, 'log.txt');
    const third = page.waitForEvent('download');
    await page.getByRole('link', { name: 'Whole log' }).click();
    await (await third).saveAs(log);
    const { stdout } = await muniment('verify-log', '--receipt', receipt, '--log', log);
    assert.match(stdout, /^valid/m);
    await rename(proof, later);
    await assert.rejects(muniment('verify-log', '--receipt', receipt, '--receipt', later), { code: 1 });

    await page.getByLabel('What').selectOption('message');
    await page.getByText('Logged in').first().waitFor({ state: 'detached' });
    await page.getByText('Message archived').first().waitFor();
    await page.getByRole('button', { name: /^Details of entry/ }).first().click();
    await page.getByRole('link', { name: 'Proof of this entry' }).waitFor();
    await assertAccessible(page, 'event log with details');
    await assertOnlyHome(tab);
    await tab.context.close();
    await rm(dir, { recursive: true, force: true });
  });
}
