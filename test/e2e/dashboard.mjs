import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { it } from 'node:test';
import { promisify } from 'node:util';

import { assertAccessible, assertOnlyHome, logIn, openPage, screenshot } from './browser.mjs';

const run = promisify(execFile);
const root = new URL('../../', import.meta.url).pathname;
const password = 'kastanie-am-fluss-17';
const phone = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true, deviceScaleFactor: 2, colorScheme: 'dark', locale: 'de-DE' };

const command = (world, ...args) => run(process.env.MUNIMENT_BINARY ?? join(root, 'bin', 'muniment'), ['--data', world.server.data, ...args]);

// above logs in as an operator and opens the overview.
async function above(world, options) {
  const tab = await openPage(world.browser, world.server, options);
  const { page, visit } = tab;
  await visit('/login');
  await page.locator('input[name=login]').fill('ottilie');
  await page.locator('input[name=password]').fill(password);
  await page.locator('form button[type=submit]').click();
  await page.waitForURL(/\/tenants$/u);
  await visit('/overview');
  await page.locator('#growth').waitFor();
  return tab;
}

export function dashboard(world) {
  it('shows an operator what needs attention, and how the archive grows', async () => {
    const file = join(world.server.data, 'spool', 'e2e-dashboard');
    await writeFile(file, `${password}\n`, { mode: 0o600 });
    await command(world, 'operator', 'create', 'ottilie', '--password-file', file);
    const tab = await above(world);
    const { page } = tab;
    const alarms = page.getByRole('region', { name: 'What needs attention' });
    await alarms.getByText('No backup has been reported').waitFor();
    await alarms.getByText('muniment backup report').waitFor();

    await command(world, 'backup', 'report', '--note', 'to the other site');
    await page.getByRole('button', { name: 'Refresh' }).click();
    await page.getByText('to the other site').waitFor();
    assert.equal(await alarms.getByText('No backup has been reported').count(), 0);
    await command(world, 'backup', 'report', '--failed');
    await page.getByRole('button', { name: 'Refresh' }).click();
    await alarms.getByText('The last backup has failed').waitFor();

    const chart = page.getByRole('slider', { name: 'Growth' });
    const last = await chart.getAttribute('aria-valuetext');
    await chart.focus();
    await page.keyboard.press('ArrowLeft');
    assert.notEqual(await chart.getAttribute('aria-valuetext'), last);
    await page.keyboard.press('End');
    assert.equal(await chart.getAttribute('aria-valuetext'), last);
    await page.locator('label').filter({ hasText: /^Month$/u }).click();
    await page.getByText('24').first().waitFor({ state: 'attached' });
    await page.waitForFunction(() => document.querySelector('[role=slider]')?.getAttribute('aria-valuemax') === '24');
    await page.locator('label').filter({ hasText: /^Storage$/u }).click();
    await page.waitForFunction(() => /received/u.test(document.querySelector('[role=slider]')?.getAttribute('aria-valuetext') ?? ''));
    await assertAccessible(page, 'overview of an operator');
    await page.locator('label').filter({ hasText: /^Messages$/u }).click();
    await page.locator('label').filter({ hasText: /^Day$/u }).click();
    await page.getByRole('heading', { level: 1 }).scrollIntoViewIfNeeded();
    await screenshot(page, 'overview-operator');
    await page.getByRole('button', { name: 'As a table' }).click();
    assert.equal(await page.getByRole('table', { name: 'Growth' }).getByRole('row').count(), 32);
    await assertAccessible(page, 'overview of an operator, table');
    assertOnlyHome(tab);
    assert.deepEqual(tab.record.errors, []);
    await tab.context.close();
  });

  it('asks again by itself, but not for a tab that nobody sees', async () => {
    const tab = await openPage(world.browser, world.server);
    const { page } = tab;
    await page.clock.install();
    await logIn(tab, world.admin);
    let asked = 0;
    page.on('request', (r) => {
      asked += r.url().includes('/api/v1/dashboard') ? 1 : 0;
    });
    const next = async () => {
      const answer = page.waitForResponse(/\/api\/v1\/dashboard/u);
      await page.clock.fastForward(31_000);
      await answer;
    };
    await tab.visit('/overview');
    await page.locator('#growth').waitFor();
    await next();
    await page.evaluate(() => {
      Object.defineProperty(document, 'visibilityState', { value: 'hidden', configurable: true });
      document.dispatchEvent(new Event('visibilitychange', { bubbles: true })); // as browsers do
    });
    const before = asked;
    await page.clock.fastForward(31_000);
    await page.clock.fastForward(31_000);
    assert.equal(asked, before);
    await page.evaluate(() => {
      Object.defineProperty(document, 'visibilityState', { value: 'visible', configurable: true });
      document.dispatchEvent(new Event('visibilitychange', { bubbles: true }));
    });
    await next();
    await tab.context.close();
  });

  it('fits a phone, in German and in the dark', async () => {
    for (const [name, open] of [['operator', () => above(world, phone)], ['tenant', async () => {
      const tab = await openPage(world.browser, world.server, phone);
      await logIn(tab, world.admin);
      await tab.visit('/overview');
      await tab.page.locator('#growth').waitFor();
      return tab;
    }]]) {
      const tab = await open();
      await tab.page.getByText('Was Aufmerksamkeit braucht').waitFor();
      await tab.page.getByText('Nachrichten heute').waitFor();
      const [wide, seen] = await tab.page.evaluate(() => [document.documentElement.scrollWidth, window.innerWidth]);
      assert.ok(wide <= seen, `${name}: ${wide} px in ${seen}`);
      await assertAccessible(tab.page, `overview, phone, ${name}`);
      await screenshot(tab.page, `overview-${name}-phone`);
      await tab.context.close();
    }
  });
}
