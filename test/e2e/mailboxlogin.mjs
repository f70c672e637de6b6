import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { it } from 'node:test';

import { assertAccessible, assertOnlyHome, logIn, openPage, screenshot } from './browser.mjs';

const directory = 'contoso.example';
const client = '11111111-2222-3333-4444-555555555555';

// startProvider is a log-in server that knows device codes only. decide says how
// the person does who enters one: 'approve', 'decline' or nothing yet.
async function startProvider() {
  const state = { decide: undefined, asked: 0 };
  const http = createServer((request, response) => {
    request.resume();
    const say = (status, body) => response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    if (request.url === `/${directory}/oauth2/v2.0/devicecode`) {
      return say(200, { device_code: 'device', user_code: 'WXYZ-4711', verification_uri: 'https://login.example/device', expires_in: 900, interval: 1 });
    }
    if (request.url !== `/${directory}/oauth2/v2.0/token`) {
      return say(400, { error: 'invalid_request', error_description: 'AADSTS90002: no such directory' });
    }
    state.asked++;
    if (state.decide === 'approve') {
      return say(200, { token_type: 'Bearer', access_token: 'access', refresh_token: 'refresh-Kastanie', expires_in: 3600 });
    }
    return say(400, state.decide === 'decline' ? { error: 'authorization_declined', error_description: 'AADSTS65004' } : { error: 'authorization_pending' });
  });
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  return { state, url: `http://127.0.0.1:${http.address().port}`, stop: () => new Promise((resolve) => http.close(resolve).closeAllConnections()) };
}

// fill enters everything but who logs in.
async function fill(page, provider) {
  await page.getByLabel('Way to log in').selectOption('Microsoft 365: log in with a code');
  assert.equal(await page.getByLabel('Server *').inputValue(), 'outlook.office365.com');
  await page.getByLabel('Server *').fill('127.0.0.1');
  await page.getByLabel('User name *').fill('anna@contoso.example');
  await page.getByLabel('Directory').fill(directory);
  await page.getByLabel('Application *').fill(client);
  await page.getByRole('button', { name: 'Advanced' }).click();
  await page.getByRole('textbox', { name: 'Port' }).fill('1'); // nobody answers there
  await page.getByLabel('Log-in server').fill(provider.url);
  await page.getByRole('textbox', { name: 'Name', exact: true }).fill('Anna by code');
}

export function mailboxLogIn(world) {
  it('logs in to a mailbox by a code', async () => {
    const provider = await startProvider();
    const tab = await openPage(world.browser, world.server);
    const { page } = tab;
    await logIn(tab, world.admin);
    await tab.visit('/sources/new');
    await fill(page, provider);
    await page.getByRole('button', { name: 'Add', exact: true }).click();
    await page.getByText('A log-in counts only for the application').waitFor();
    await page.getByRole('button', { name: 'Log in with a code' }).click();
    const dialog = page.getByRole('dialog', { name: 'Log in with a code' });
    await dialog.getByText('WXYZ-4711').waitFor();
    assert.equal(await dialog.getByRole('link').getAttribute('href'), 'https://login.example/device');
    await assertAccessible(page, 'dialog with a code');
    await screenshot(page, 'mailbox-log-in');
    provider.state.decide = 'decline';
    await dialog.getByText('The access was declined.').waitFor();
    await dialog.getByRole('button', { name: 'Close' }).last().click();
    provider.state.decide = undefined;
    await page.getByRole('button', { name: 'Log in with a code' }).click();
    await dialog.getByText('WXYZ-4711').waitFor();
    provider.state.decide = 'approve';
    await page.getByText('Logged in. It is stored when you save.').waitFor();
    await dialog.waitFor({ state: 'hidden' });
    await screenshot(page, 'mailbox-log-in-done');
    await page.getByRole('button', { name: 'Add', exact: true }).click();
    await page.waitForURL(/\/sources$/);
    await page.getByRole('link', { name: 'Edit Anna by code' }).click();
    await page.getByText('A log-in is stored.').waitFor();
    assert.doesNotMatch(await page.content(), /refresh-Kastanie/);
    await page.getByLabel('Directory').fill('fabrikam.example');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByText('A log-in counts only for the application').waitFor();
    await page.getByRole('button', { name: 'Log in again with a code' }).click();
    await page.getByText('There is no such directory.').waitFor();
    assertOnlyHome(tab);
    assert.deepEqual(tab.record.errors, []);
    await tab.context.close();
    await provider.stop();
  });

  it('shows the form on a phone in the dark', async () => {
    const tab = await openPage(world.browser, world.server, { viewport: { width: 390, height: 844 }, colorScheme: 'dark', locale: 'de-DE' });
    const { page } = tab;
    await logIn(tab, world.admin);
    await tab.visit('/sources/new');
    await page.getByLabel('Art der Anmeldung').selectOption('Microsoft 365: als Anwendung');
    await page.getByLabel('Geheimnis der Anwendung').waitFor();
    await assertAccessible(page, 'form of an application');
    await page.getByLabel('Art der Anmeldung').scrollIntoViewIfNeeded();
    await screenshot(page, 'mailbox-log-in-phone');
    await tab.context.close();
  });
}
