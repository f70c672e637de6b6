import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { it } from 'node:test';
import { promisify } from 'node:util';

import { assertAccessible, assertOnlyHome, openPage, screenshot } from './browser.mjs';

const run = promisify(execFile);
const root = new URL('../../', import.meta.url).pathname;
const password = 'kastanie-am-fluss-17';
const better = 'birken-im-nebel-stehen';

// muniment runs a command beside the running server.
async function muniment(world, ...args) {
  const binary = process.env.MUNIMENT_BINARY ?? join(root, 'bin', 'muniment');
  return (await run(binary, ['--data', world.server.data, ...args])).stdout.trim();
}

// makeUser makes a user of the demonstration's tenant, whom no other test knows.
async function makeUser(world, name, role = 'user') {
  const file = join(world.server.data, 'spool', `e2e-${name}`);
  await writeFile(file, `${password}\n`, { mode: 0o600 });
  world.tenant ??= JSON.parse((await muniment(world, 'tenant', 'list', '--json')).split('\n')[0]).slug;
  await muniment(world, 'user', 'create', world.tenant, name, '--role', role, '--address', `${name}@firma.example`, '--password-file', file);
}

// codeOf computes the code of a secret (RFC 6238), some steps from now.
function codeOf(secret, shift = 0) {
  const bits = [...secret].map((c) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(c).toString(2).padStart(5, '0')).join('');
  const key = Buffer.from(bits.match(/.{8}/g).map((b) => parseInt(b, 2)));
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30_000) + shift));
  const mac = createHmac('sha1', key).update(counter).digest();
  return String((mac.readUInt32BE(mac[19] & 15) & 0x7fffffff) % 1_000_000).padStart(6, '0');
}

// open opens a page under the host name that passkeys belong to.
async function open(world, options) {
  const tab = await openPage(world.browser, { url: world.server.url.replace('127.0.0.1', 'localhost') }, options);
  return tab;
}

async function enter({ page, visit }, name, word = password) {
  await visit('/login');
  await page.locator('input[name=login]').fill(name);
  await page.locator('input[name=password]').fill(word);
  await page.locator('form button[type=submit]').click();
}

// readSecret takes the secret that is shown for typing.
async function readSecret(page) {
  await page.getByAltText('QR code for the authenticator app').waitFor();
  return (await page.getByText('Or type this into the app:').locator('span').textContent()).replaceAll(' ', '');
}

async function virtualAuthenticator({ page, context }) {
  const cdp = await context.newCDPSession(page);
  await cdp.send('WebAuthn.enable');
  await cdp.send('WebAuthn.addVirtualAuthenticator', { options: { protocol: 'ctap2', transport: 'internal', hasResidentKey: true, hasUserVerification: true, isUserVerified: true, automaticPresenceSimulation: true } });
  return cdp;
}

export function login(world) {
  it('asks for a code after the password, takes it once, and lets in with a recovery code', async () => {
    await makeUser(world, 'tina');
    const tab = await open(world);
    const { page } = tab;
    await enter(tab, 'tina');
    await page.getByRole('search').waitFor();
    await tab.visit('/account');
    await page.getByRole('button', { name: 'Set up an authenticator app' }).click();
    const secret = await readSecret(page);
    await assertAccessible(page, 'authenticator app');
    await screenshot(page, 'totp-setup');
    await page.getByLabel('Code that the app shows').fill('000000');
    await page.getByRole('button', { name: 'Finish' }).click();
    await page.getByText('That is not right, or it was used before.').waitFor();
    const used = codeOf(secret, -1);
    await page.getByLabel('Code that the app shows').fill(used);
    await page.getByRole('button', { name: 'Finish' }).click();
    await page.getByText('Keep these recovery codes').waitFor();
    const codes = await page.getByRole('list', { name: 'Recovery codes' }).getByRole('listitem').allTextContents();
    assert.equal(codes.length, 10);
    const [file] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: 'Save as a file' }).click()]);
    assert.ok((await readFile(await file.path(), 'utf8')).includes(codes[9]));
    await screenshot(page, 'recovery-codes');
    await page.getByLabel('I have kept these codes').check();
    await page.getByRole('button', { name: 'Continue' }).click();
    await page.getByText('10 are left').waitFor();
    await assertAccessible(page, 'account with a factor');
    await screenshot(page, 'account-logins');

    const other = await open(world, { viewport: { width: 390, height: 844 }, colorScheme: 'dark' });
    await enter(other, 'tina');
    await other.page.getByRole('heading', { name: 'Second step' }).waitFor();
    await assertAccessible(other.page, 'second step');
    await screenshot(other.page, 'second-step-dark');
    await other.page.getByRole('textbox', { name: 'Code', exact: true }).fill(used);
    await other.page.getByRole('button', { name: 'Continue' }).click();
    await other.page.getByText('That is not right, or it was used before.').waitFor();
    await other.page.getByRole('textbox', { name: 'Code', exact: true }).fill(codeOf(secret));
    await other.page.getByRole('button', { name: 'Continue' }).click();
    await other.page.getByRole('search').waitFor();
    await other.context.clearCookies();
    await enter(other, 'tina');
    await other.page.getByRole('button', { name: 'Use a recovery code' }).click();
    await other.page.getByLabel('Recovery code', { exact: true }).fill(codes[0].toUpperCase());
    await other.page.getByRole('button', { name: 'Continue' }).click();
    await other.page.getByRole('search').waitFor();

    await tab.visit('/account');
    await page.getByText('9 are left').waitFor();
    await page.getByRole('button', { name: 'End all others' }).click();
    await page.getByText('this one').waitFor();
    await page.getByRole('button', { name: 'End all others' }).waitFor({ state: 'detached' });
    await other.visit('/');
    await other.page.waitForURL(/\/login/);
    assertOnlyHome(tab);
    assert.deepEqual([...tab.record.errors, ...other.record.errors], []);
    await other.context.close();
    await tab.context.close();
  });

  it('makes a passkey and logs in with it alone', async () => {
    await makeUser(world, 'paula');
    const tab = await open(world);
    const { page } = tab;
    const cdp = await virtualAuthenticator(tab);
    await enter(tab, 'paula');
    await page.getByRole('search').waitFor();
    await tab.visit('/account');
    await page.getByRole('button', { name: 'Add a passkey' }).click();
    await page.getByLabel('Name', { exact: true }).fill('Laptop');
    await page.getByRole('button', { name: 'Make passkey' }).click();
    await page.getByLabel('I have kept these codes').check();
    await page.getByRole('button', { name: 'Continue' }).click();
    await page.getByText('Laptop').waitFor();
    await page.getByRole('button', { name: 'Rename Laptop' }).click();
    await page.getByRole('dialog').getByLabel('Name').fill('Werkstatt');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByText('Werkstatt').waitFor();
    await tab.context.clearCookies();
    await tab.visit('/login');
    await page.getByRole('button', { name: 'Log in with a passkey' }).waitFor();
    await assertAccessible(page, 'log-in with passkeys');
    await screenshot(page, 'login-passkey');
    await page.getByRole('button', { name: 'Log in with a passkey' }).click();
    await page.getByRole('search').waitFor();
    await tab.context.clearCookies();
    await enter(tab, 'paula');
    await page.getByRole('button', { name: 'Use passkey' }).click();
    await page.getByRole('search').waitFor();
    await tab.visit('/account');
    await page.getByRole('button', { name: 'Remove Werkstatt' }).click();
    await page.getByText('Werkstatt').waitFor({ state: 'detached' });
    await tab.context.clearCookies();
    await tab.visit('/login');
    await page.getByRole('button', { name: 'Log in with a passkey' }).click();
    await page.getByText('This passkey is not known here any more.').waitFor();
    await cdp.detach();
    assert.deepEqual(tab.record.errors, []);
    await tab.context.close();
  });

  it('leads whoever has to have a second factor to set one up, before anything else', async () => {
    await makeUser(world, 'berta', 'auditor');
    await makeUser(world, 'anton', 'tenant-admin');
    const admin = await open(world);
    await enter(admin, 'anton');
    await admin.page.getByRole('search').waitFor();
    await admin.visit('/login-policy');
    await admin.page.getByLabel('Auditors').check();
    await admin.page.getByRole('button', { name: 'Save' }).click();
    await admin.page.getByText('Saved').waitFor();
    await assertAccessible(admin.page, 'policy of log-ins');
    await screenshot(admin.page, 'login-policy');
    const tab = await open(world);
    const { page } = tab;
    await enter(tab, 'berta');
    await page.getByRole('heading', { name: 'Set up a second factor' }).waitFor();
    await assertAccessible(page, 'forced set-up');
    await screenshot(page, 'forced-setup');
    const refused = await tab.context.request.get(`${tab.home}/api/v1/search?q=`);
    assert.equal(refused.status(), 403);
    await page.getByRole('button', { name: 'Authenticator app' }).click();
    await page.getByLabel('Code that the app shows').fill(codeOf(await readSecret(page)));
    await page.getByRole('button', { name: 'Finish' }).click();
    await page.getByLabel('I have kept these codes').check();
    await page.getByRole('button', { name: 'Continue' }).click();
    await page.getByRole('search').waitFor();
    await admin.page.getByLabel('Auditors').uncheck();
    await admin.page.getByRole('button', { name: 'Save' }).click();
    await admin.page.getByText('Saved').waitFor();
    assert.deepEqual([...tab.record.errors, ...admin.record.errors], []);
    await tab.context.close();
    await admin.context.close();
  });

  it('sets a password by a one-time link, which opening the page does not use up', async () => {
    await makeUser(world, 'lena');
    const hash = new URL(await muniment(world, 'user', 'link', world.tenant, 'lena')).hash;
    const tab = await open(world, { locale: 'de-DE' });
    const { page } = tab;
    for (let i = 0; i < 2; i++) { // as a scanner of mail, and then as Lena
      await tab.visit(`/link${hash}`);
      await page.getByText('Benutzername lena').waitFor();
      await page.reload(); // the token is not in the address any more
      await page.getByText('Dieser Link gilt nicht mehr').waitFor();
      await page.goto('about:blank');
    }
    await tab.visit(`/link${hash}`);
    await page.getByText('Benutzername lena').waitFor();
    assert.equal(new URL(page.url()).hash, '');
    assert.ok(!tab.record.requests.some((u) => u.includes(hash.slice(1)) && !u.includes('#')), 'the token was sent in an address');
    await assertAccessible(page, 'link');
    await page.getByLabel('Neues Passwort', { exact: true }).fill('kurz');
    await page.getByLabel('Neues Passwort noch einmal').fill('kurz');
    assert.ok(await page.getByRole('button', { name: 'Passwort festlegen' }).isDisabled());
    await page.getByLabel('Neues Passwort', { exact: true }).fill(better);
    await page.getByLabel('Neues Passwort noch einmal').fill(better);
    await screenshot(page, 'link');
    await page.getByRole('button', { name: 'Passwort festlegen' }).click();
    await page.getByText('Ihr Passwort ist festgelegt.').waitFor();
    await enter(tab, 'lena', better);
    await page.getByRole('search').waitFor();
    await tab.visit('/account');
    await page.getByRole('button', { name: 'Passwort ändern' }).click();
    await page.getByLabel('Bisheriges Passwort').fill('falsch falsch');
    await page.getByLabel('Neues Passwort', { exact: true }).fill(password);
    await page.getByLabel('Neues Passwort noch einmal').fill(password);
    await page.getByRole('button', { name: 'Passwort ändern' }).click();
    await page.getByText('Das Passwort ist falsch.').waitFor();
    await page.getByLabel('Bisheriges Passwort').fill(better);
    await page.getByRole('button', { name: 'Passwort ändern' }).click();
    await page.getByText('Ihr Passwort ist geändert.').waitFor();
    await tab.context.clearCookies();
    await tab.visit(`/link${hash}`);
    await page.getByText('Dieser Link gilt nicht mehr').waitFor();
    assert.deepEqual(tab.record.errors, []);
    await tab.context.close();
  });

  it('says the same to everybody who has forgotten a password', async () => {
    const tab = await open(world);
    const { page } = tab;
    for (const name of [world.user.login, 'nobody-at-all']) {
      await tab.visit('/login');
      await page.getByRole('link', { name: 'Forgotten your password?' }).click();
      await page.getByLabel('User name or mail address').fill(name);
      await page.getByRole('button', { name: 'Mail a link' }).click();
      await page.getByText('If such a user exists, a link is on its way').waitFor();
    }
    await assertAccessible(page, 'forgotten password');
    assert.deepEqual(tab.record.errors, []);
    await tab.context.close();
  });
}
