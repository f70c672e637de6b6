import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { it } from 'node:test';
import { promisify } from 'node:util';

import { assertAccessible, assertOnlyHome, openPage, screenshot } from './browser.mjs';

const run = promisify(execFile);
const root = new URL('../../', import.meta.url).pathname;
const password = 'kastanie-am-fluss-17';

const command = (world, ...args) => run(process.env.MUNIMENT_BINARY ?? join(root, 'bin', 'muniment'), ['--data', world.server.data, ...args]);

// enter logs in as somebody who looks after customers.
async function enter({ page, visit }, login) {
  await visit('/login');
  await page.locator('input[name=login]').fill(login);
  await page.locator('input[name=password]').fill(password);
  await page.locator('form button[type=submit]').click();
  await page.waitForURL(/\/tenants$/);
}

export function hierarchy(world) {
  it('lets an operator make a reseller, whose staff makes and ends a customer', async () => {
    const file = join(world.server.data, 'spool', 'e2e-hierarchy');
    await writeFile(file, `${password}\n`, { mode: 0o600 });
    await command(world, 'operator', 'create', 'oskar', '--password-file', file);
    const above = await openPage(world.browser, world.server);
    const { page } = above;
    await enter(above, 'oskar');
    await page.getByRole('heading', { name: 'Customers', exact: true }).waitFor();
    await assertAccessible(page, 'customers');
    await page.getByRole('link', { name: 'Resellers' }).click();
    await page.getByRole('button', { name: 'New reseller' }).click();
    await page.getByLabel('Name', { exact: true }).fill('Systemhaus Nord');
    await page.getByLabel('Short name').fill('nord');
    await page.getByRole('button', { name: 'Create' }).click();
    await page.getByRole('heading', { name: 'Systemhaus Nord' }).waitFor();
    await page.getByLabel('Name in place of Muniment').fill('Nordarchiv');
    await page.getByLabel('Colour').fill('#ffee00');
    const look = page.getByRole('region', { name: 'Appearance' });
    await look.getByRole('button', { name: 'Save' }).click();
    await page.getByText('is too light').waitFor();
    await page.getByLabel('Colour').fill('#7a2e8e');
    await page.keyboard.press('Escape');
    await look.getByRole('button', { name: 'Save' }).click();
    await look.getByText('Saved').waitFor();
    const staff = page.getByRole('region', { name: 'Staff' });
    await staff.getByLabel('User name').fill('petra');
    await staff.locator('input[type=password]').fill(password);
    await staff.getByRole('button', { name: 'Add' }).click();
    await staff.getByText('petra').waitFor();
    await assertAccessible(page, 'reseller');
    await screenshot(page, 'reseller');
    assertOnlyHome(above);
    assert.deepEqual(above.record.errors, []);
    await above.context.close();

    const tab = await openPage(world.browser, world.server);
    await enter(tab, 'petra');
    const own = tab.page;
    await own.getByText('Nordarchiv').waitFor();
    assert.equal(await own.getByRole('link', { name: 'Resellers' }).count(), 0);
    await own.getByRole('link', { name: 'New customer' }).click();
    await own.getByLabel('Name *').fill('Krume OHG'); // no password: there is a link to hand over
    await own.getByLabel('Domains').fill('krume-e2e.example');
    await own.getByLabel('User name').fill('kurt');
    await own.getByRole('button', { name: 'Create' }).click();
    await own.getByText('With this link the administrator sets a password').waitFor();
    await own.getByRole('button', { name: 'Copy the link' }).waitFor();
    await own.getByRole('link', { name: 'Customers' }).first().click();
    await own.getByRole('link', { name: 'New customer' }).click();
    await own.getByLabel('Name *').fill('Muster GmbH');
    await own.getByLabel('Domains').fill('muster-e2e.example');
    await own.getByLabel('User name').fill('carla');
    await own.locator('input[type=password]').fill(password);
    await own.getByRole('button', { name: 'Create' }).click();
    await own.getByText('Muster GmbH is ready').waitFor();
    await assertAccessible(own, 'a new customer');
    await own.getByRole('link', { name: 'Open customer' }).click();
    await own.getByRole('heading', { name: 'Muster GmbH' }).waitFor();
    await own.getByRole('button', { name: 'End', exact: true }).click();
    await own.getByRole('dialog').getByRole('button', { name: 'End', exact: true }).click();
    await own.getByText('Can be deleted from').waitFor();
    assert.equal(await own.getByRole('button', { name: 'Delete for good' }).isDisabled(), true);
    await assertAccessible(own, 'a customer');
    await screenshot(own, 'tenant');
    await own.getByRole('link', { name: 'Customers' }).first().click();
    await own.getByLabel('Filter by name').fill('nobody');
    await own.getByText('0 of 2 customers').waitFor();
    await own.getByLabel('Filter by name').fill('must');
    await own.getByText('1 of 2 customers').waitFor();
    assertOnlyHome(tab);
    assert.deepEqual(tab.record.errors, []);
    await tab.context.close();
  });

  it('shows a token once, and revokes it', async () => {
    const tab = await openPage(world.browser, world.server);
    const { page } = tab;
    await enter(tab, 'petra');
    await page.getByRole('link', { name: 'API tokens' }).click();
    await page.getByLabel('Name *').fill('Shop');
    await page.getByLabel('See customers').check();
    await page.getByRole('button', { name: 'Create token' }).click();
    const secret = (await page.getByText(/^mun_[a-z2-7]{40}$/).textContent()) ?? '';
    await assertAccessible(page, 'tokens');
    await screenshot(page, 'tokens');
    await page.getByRole('row', { name: /^Shop/ }).getByText('See customers').waitFor(); // not the name of the scope
    const ask = (path) => fetch(`${tab.home}/api/v1${path}`, { headers: { Authorization: `Bearer ${secret}` } });
    assert.equal((await ask('/tenants')).status, 200);
    assert.equal((await ask('/search')).status, 403);
    await page.getByRole('button', { name: 'Revoke Shop' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Revoke' }).click();
    await page.getByRole('dialog').waitFor({ state: 'hidden' });
    assert.equal((await ask('/tenants')).status, 401);
    await tab.context.close();
  });
}
