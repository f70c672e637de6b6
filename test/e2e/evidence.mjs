import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { it } from 'node:test';

import { assertAccessible, assertOnlyHome, eventually, logIn, openPage, screenshot } from './browser.mjs';
import { enterOperator, makeOperator } from './smarthost.mjs';

export function evidence(world) {
  it('says since when a message is proven, and hands the proof out', async () => {
    const tab = await openPage(world.browser, world.server);
    const { page } = tab;
    await logIn(tab, world.admin);
    const { request } = tab.context;
    const { hits } = await (await request.get(`${tab.home}/api/v1/search?order=oldest`)).json();
    const id = hits[0].id;
    await eventually(async () => { // the demonstration is sealed within a minute
      const state = await (await request.get(`${tab.home}/api/v1/messages/${id}/evidence`)).json();
      assert.equal(state.state, 'stamped');
    }, 90_000);
    await tab.visit(`/?id=${id}`);
    const seal = page.getByTestId('seal');
    await seal.getByText('it proves nothing to others').waitFor();
    await seal.getByRole('button', { name: 'Details' }).click();
    await seal.getByText('It comes from a test authority').waitFor();
    await assertAccessible(page, 'message with its seal');
    await screenshot(page, 'seal');
    const [download] = await Promise.all([page.waitForEvent('download'), seal.getByRole('link', { name: 'Download proof' }).click()]);
    assert.equal(download.suggestedFilename(), `${id}.proof.zip`);
    const zip = await readFile(await download.path());
    assert.equal(zip.subarray(0, 2).toString(), 'PK');
    assertOnlyHome(tab);
    await tab.context.close();
  });

  it('shows the tenant how far its objects are proven', async () => {
    const tab = await openPage(world.browser, world.server);
    const { page } = tab;
    await logIn(tab, world.admin);
    await tab.visit('/evidence');
    await page.getByText('A test authority gives the time stamps').waitFor();
    await page.locator('summary').first().click();
    await assertAccessible(page, 'evidence');
    await screenshot(page, 'evidence');
    await tab.visit('/sealing');
    await page.getByText('Only operators can see this page.').waitFor();
    assert.deepEqual(tab.record.errors, []);
    await tab.context.close();
  });

  it('lets operators try an authority and choose others', async () => {
    await makeOperator(world);
    const tab = await openPage(world.browser, world.server);
    const { page } = tab;
    await enterOperator(tab);
    await tab.visit('/sealing');
    await page.getByRole('button', { name: 'Test', exact: true }).click();
    await page.getByTestId('trial').getByText('it proves nothing').waitFor();
    await page.getByRole('button', { name: 'Add', exact: true }).click();
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByText('Some fields need another look.').waitFor();
    await assertAccessible(page, 'time stamps with mistakes');
    await screenshot(page, 'sealing');
    await tab.visit('/sealing');
    await page.getByLabel('Renew … days before a certificate ends').fill('400');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByText('400 days before the end of a certificate').waitFor();
    assert.deepEqual(tab.record.errors, []);
    await tab.context.close();
  });
}
