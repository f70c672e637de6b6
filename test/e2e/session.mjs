import assert from 'node:assert/strict';
import { it } from 'node:test';

import { assertOnlyHome, logIn, openPage, screenshot } from './browser.mjs';

export function session(world) {
  it('offers the public log-ins of a demonstration and refuses a wrong password', async () => {
    const tab = await openPage(world.browser, world.server);
    const { page } = tab;
    await tab.visit('/');
    await page.getByRole('heading', { name: 'Muniment' }).waitFor();
    for (const { name } of world.server.logins) {
      await page.getByRole('button', { name }).waitFor();
    }
    await screenshot(page, 'login');
    await page.getByLabel('User name or mail address').fill(world.user.login);
    await page.getByLabel('Password', { exact: true }).fill('wrong');
    await page.getByRole('button', { name: 'Log in', exact: true }).click();
    await page.getByRole('alert').getByText('User name or password is wrong.').waitFor();
    await page.getByRole('button', { name: world.user.name }).click();
    await page.getByRole('search').waitFor();
    assertOnlyHome(tab);
    assert.deepEqual(tab.record.errors, []);
    await tab.context.close();
  });

  it('leads back to the wanted page after the log-in, never to another host', async () => {
    const tab = await openPage(world.browser, world.server);
    const { page } = tab;
    await tab.visit('/account');
    await page.waitForURL(/\/login\?next=/);
    await page.getByRole('button', { name: world.user.name }).click();
    await page.waitForURL(/\/account$/);
    await page.getByRole('heading', { name: 'My account' }).waitFor();
    await tab.context.clearCookies();
    await tab.visit('/login?next=//evil.example/');
    await page.getByRole('button', { name: world.user.name }).click();
    await page.getByRole('search').waitFor();
    assert.equal(new URL(page.url()).origin, tab.home);
    assertOnlyHome(tab);
    await tab.context.close();
  });

  it('keeps the session cookie from scripts, and ends with the log-out', async () => {
    const tab = await openPage(world.browser, world.server);
    const { page, context } = tab;
    await logIn(tab, world.user);
    const cookie = (await context.cookies()).find((c) => c.name === 'muniment_session');
    assert.equal(cookie?.httpOnly, true);
    assert.equal(cookie?.sameSite, 'Lax');
    assert.equal(await page.evaluate(() => document.cookie), '');
    await page.getByRole('button', { name: /^Logged in as/ }).click();
    await page.getByRole('menuitem', { name: 'Log out' }).click();
    await page.getByRole('button', { name: 'Log in', exact: true }).waitFor();
    const answer = await context.request.get(`${tab.home}/api/v1/search`, { headers: { Cookie: `muniment_session=${cookie.value}` } });
    assert.equal(answer.status(), 401, 'the old cookie still opens the archive');
    await tab.visit('/');
    await page.waitForURL(/\/login/);
    await context.close();
  });

  it('says so when a session has ended by itself, and goes on where it was', async () => {
    const tab = await openPage(world.browser, world.server);
    const { page } = tab;
    await logIn(tab, world.user);
    const hit = page.locator('[role=option][id^=hit-]').first();
    await hit.waitFor();
    await tab.context.clearCookies();
    await hit.click();
    await page.getByText('Your session has ended.').waitFor();
    await page.getByRole('button', { name: world.user.name }).click();
    await page.waitForURL(/\/\?id=/);
    await page.getByRole('article').waitFor();
    await tab.context.close();
  });

  it('shows the overview to administrators only', async () => {
    const tab = await openPage(world.browser, world.server);
    await logIn(tab, world.user);
    assert.equal(await tab.page.getByRole('link', { name: 'Administration' }).count(), 0);
    await tab.visit('/overview');
    await tab.page.getByText('Only administrators see this page.').waitFor();
    await tab.context.close();
    const admin = await openPage(world.browser, world.server);
    await logIn(admin, world.admin);
    await admin.page.getByRole('link', { name: 'Administration' }).click();
    await admin.page.getByText('Size as stored').waitFor();
    await screenshot(admin.page, 'admin');
    await admin.page.getByRole('button', { name: 'As a table' }).click();
    assert.ok((await admin.page.getByRole('table').getByRole('row').count()) > 1);
    assert.deepEqual(admin.record.errors, []);
    await admin.context.close();
  });
}
