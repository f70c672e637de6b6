import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { it } from 'node:test';

import { assertAccessible, assertOnlyHome, logIn, openPage, screenshot } from './browser.mjs';

const csv = (text) => ({ name: 'benutzer.csv', mimeType: 'text/csv', buffer: Buffer.from(text, 'latin1') });

export function users(world) {
  it('shows users to administrators only', async () => {
    const tab = await openPage(world.browser, world.server);
    await logIn(tab, world.user);
    for (const path of ['/users', '/users/new', '/users/import']) {
      await tab.visit(path);
      await tab.page.getByText('Only administrators see this page.').waitFor();
    }
    await tab.context.close();
  });

  it('adds a user, gives and takes addresses, and says what that does', async () => {
    const tab = await openPage(world.browser, world.server);
    const { page } = tab;
    await logIn(tab, world.admin);
    await tab.visit('/users');
    await page.getByText('5 of 5 users').waitFor();
    await assertAccessible(page, 'users');
    await page.getByLabel('Find by name, user name or address').fill('jürg einkauf');
    await page.getByText('1 of 5 users').waitFor();
    assert.equal(await page.getByRole('link', { name: /Bernd Jürgensen/u }).count(), 1);
    await page.getByRole('link', { name: 'Add user' }).click();
    await page.getByLabel('User name').fill('Doris');
    await page.getByLabel('First name').fill('Doris');
    await page.getByLabel('Last name').fill('Dachs');
    await page.getByLabel('Mail addresses').fill('einkauf@nordlicht.example');
    await page.getByLabel('Password', { exact: true }).fill('doris-dachs-2024');
    await page.getByRole('button', { name: 'Add user' }).click();
    await page.getByText('This consists of names or addresses of the person or the company.').waitFor();
    await page.getByLabel('Password', { exact: true }).fill('kaffee tanne zebra 71');
    await page.getByRole('button', { name: 'Add user' }).click();
    await page.getByText('einkauf@nordlicht.example belongs to user bernd.').waitFor();
    await assertAccessible(page, 'new user');
    await screenshot(page, 'user-new');
    await page.getByLabel('This is a shared mailbox').check();
    await page.getByRole('button', { name: 'Add user' }).click();
    await page.getByRole('heading', { name: 'Doris Dachs' }).waitFor();
    const sees = async () => Number(/Sees (\d+) archived/u.exec(await page.getByText(/^Sees \d+ archived/u).innerText())[1]);
    const before = await sees();
    await page.getByLabel('Mail address', { exact: true }).fill('info@nordlicht.example');
    await page.getByRole('button', { name: 'Add', exact: true }).click();
    await page.getByText('info@nordlicht.example belongs to user anna.').waitFor();
    await page.getByLabel('This is a shared mailbox').check();
    await page.getByRole('button', { name: 'Add', exact: true }).click();
    await page.getByText('info@nordlicht.example was added.').waitFor();
    assert.ok((await sees()) > before, 'another address shows more');
    await assertAccessible(page, 'user');
    await screenshot(page, 'user');
    await page.getByRole('button', { name: 'Remove info@nordlicht.example' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Remove', exact: true }).click();
    await page.getByText('info@nordlicht.example was removed.').waitFor();
    assert.equal(await sees(), before);

    // Somebody who is logged in and is disabled is out at once.
    const other = await openPage(world.browser, world.server);
    await logIn(other, { login: 'doris', password: 'kaffee tanne zebra 71' });
    await page.getByRole('switch', { name: 'May log in' }).uncheck({ force: true });
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByText('Saved. It holds at once.').waitFor();
    await other.visit('/');
    await other.page.waitForURL(/\/login/u);
    await other.context.close();

    await tab.visit('/users');
    await page.getByRole('link', { name: /Doris Dachs/u }).getByText('Disabled').waitFor();
    await screenshot(page, 'users');
    assertOnlyHome(tab);
    assert.deepEqual(tab.record.errors, []);
    await tab.context.close();
  });

  it('offers a link to whoever has no password yet', async () => {
    const tab = await openPage(world.browser, world.server);
    const { page } = tab;
    await logIn(tab, world.admin);
    await tab.visit('/users/new');
    await page.getByLabel('User name').fill('nora');
    await page.getByLabel('First name').fill('Nora');
    await page.getByRole('button', { name: 'Add user' }).click();
    await page.getByRole('heading', { name: 'Nora cannot log in yet' }).waitFor();
    await page.getByRole('button', { name: 'Send link' }).click();
    const link = (await page.getByText(/\/link#/u).innerText()).trim();
    await assertAccessible(page, 'link of a new user');
    await screenshot(page, 'user-link');

    const other = await openPage(world.browser, world.server);
    await other.visit(`/link${new URL(link).hash}`);
    await other.page.getByLabel('New password', { exact: true }).fill('kaffee tanne zebra 72');
    await other.page.getByLabel('New password again').fill('kaffee tanne zebra 72');
    await other.page.getByRole('button', { name: 'Set password' }).click();
    await other.page.getByText('Your password is set').waitFor();
    await logIn(other, { login: 'nora', password: 'kaffee tanne zebra 72' });

    await page.reload();
    await page.getByRole('heading', { name: 'Sessions' }).waitFor();
    await page.getByRole('button', { name: 'End all sessions' }).click();
    await page.getByText('Not logged in anywhere.').waitFor();
    await other.visit('/');
    await other.page.waitForURL(/\/login/u);
    assert.deepEqual([...tab.record.errors, ...other.record.errors], []);
    await other.context.close();
    await tab.context.close();
  });

  it('keeps the last administrator', async () => {
    const tab = await openPage(world.browser, world.server);
    const { page } = tab;
    await logIn(tab, world.admin);
    await tab.visit('/users');
    await page.getByRole('link', { name: /Anna Petersen/u }).click();
    await page.getByLabel('Role').selectOption('user');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByText('This is the last administrator who can log in without end.').waitFor();
    await tab.context.close();
  });

  it('imports a list after a preview, and exports it', async () => {
    const tab = await openPage(world.browser, world.server);
    const { page } = tab;
    await logIn(tab, world.admin);
    await tab.visit('/users');
    await page.getByRole('link', { name: 'Import' }).click();
    const choose = page.locator('input[type=file]');
    await choose.setInputFiles(csv('emil,,Emil,Esch,emil@nordlicht.example\nfritz,hallo,Fritz,M\xfcller,x\ncarla,,Carla,Rossi,carla.rossi@nordlicht.example\n'));
    await page.getByText('2 problems: nothing can be imported').waitFor();
    await page.getByText('Byte 59 of the file (0xFC) is not UTF-8.').waitFor();
    await page.getByText('The user name carla is in use already.').waitFor();
    await assertAccessible(page, 'import');
    await screenshot(page, 'users-import');
    await choose.setInputFiles(csv('emil;;=Emil;Esch;emil@nordlicht.example\r\ngina;kaffee tanne zebra 71;Gina;Gans;gina@nordlicht.example\r\n'));
    await page.getByText('2 users will be added.').waitFor();
    await page.getByRole('button', { name: 'Import 2 users' }).click();
    await page.getByText('2 users were added.').waitFor({ timeout: 60_000 });
    await page.getByRole('link', { name: 'To the users' }).click();
    await page.getByRole('link', { name: /Gina Gans/u }).waitFor();
    await page.getByRole('button', { name: 'Export' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Semicolon, for Excel').check();
    await assertAccessible(page, 'export');
    await screenshot(page, 'users-export');
    const [download] = await Promise.all([page.waitForEvent('download'), dialog.getByRole('link', { name: 'Download' }).click()]);
    const text = await readFile(await download.path(), 'utf8');
    assert.match(text, /^\ufeff/u);
    assert.match(text, /^emil;;'=Emil;Esch;emil@nordlicht\.example\r$/mu);
    assert.doesNotMatch(text, /argon2id|^doris/mu);
    assert.deepEqual(tab.record.errors, []);
    await tab.context.close();
  });

  it('works in German on a dark phone', async () => {
    const tab = await openPage(world.browser, world.server, { viewport: { width: 390, height: 800 }, hasTouch: true, isMobile: true, deviceScaleFactor: 2, locale: 'de-DE', colorScheme: 'dark' });
    const { page } = tab;
    await logIn(tab, world.admin);
    await tab.visit('/users');
    await page.getByRole('heading', { name: 'Benutzer', exact: true }).waitFor();
    await assertAccessible(page, 'users on a phone');
    await screenshot(page, 'users-phone');
    await page.getByRole('link', { name: /Gina Gans/u }).click();
    await page.getByText('Adressen').first().waitFor();
    await assertAccessible(page, 'user on a phone');
    await screenshot(page, 'user-phone');
    await page.evaluate(() => window.scrollTo(0, 900));
    await screenshot(page, 'user-phone-below');
    const wide = await page.evaluate(() => document.documentElement.scrollWidth > document.documentElement.clientWidth);
    assert.equal(wide, false, 'the page is wider than the phone');
    await tab.context.close();
  });
}
