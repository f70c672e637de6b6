import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { it } from 'node:test';

import { assertAccessible, assertOnlyHome, eventually, logIn, openPage, screenshot } from './browser.mjs';
import { report } from './mails.mjs';
import { send } from './smtp.mjs';

const password = 'wrong-Kastanie-17';
const refused = { code: 'auth', text: 'The server refuses the log-in.', detail: 'NO [AUTHENTICATIONFAILED] wrong' };
const print = 'ab'.repeat(32);

// withState lets the server's list tell of fetches: what the pages make of it is
// tested here, fetching itself elsewhere.
async function withState(page, state) {
  await page.route('**/api/v1/sources', async (route) => {
    if (route.request().method() !== 'GET') {
      return route.continue();
    }
    const response = await route.fetch();
    const json = await response.json();
    json.fetches = true;
    json.sources.filter((s) => s.kind === 'mailbox').forEach((s) => (s.state = state));
    return route.fulfill({ response, json });
  });
}

const failing = () => ({
  fetching: false, last_at: new Date(Date.now() - 60_000).toISOString(), next_at: new Date(Date.now() + 60_000).toISOString(),
  problem: refused, stored: 0, known: 0, waiting: 1234, on_server: 1240, left: 6,
});

async function create(tab, name) {
  const { page } = tab;
  await tab.visit('/sources');
  await page.getByRole('link', { name: 'Add mailbox' }).click();
  await page.getByLabel('Server *').fill('127.0.0.1');
  await page.getByLabel('User name *').fill('info');
  await page.getByLabel('Password *').fill(password);
  await page.getByRole('textbox', { name: 'Name', exact: true }).fill(name);
  await page.getByRole('button', { name: 'Advanced' }).click();
  await page.getByRole('textbox', { name: 'Port' }).fill('1'); // nobody answers there
}

export function sources(world) {
  it('shows sources to administrators only', async () => {
    const tab = await openPage(world.browser, world.server);
    await logIn(tab, world.user);
    assert.equal(await tab.page.getByRole('link', { name: 'Sources' }).count(), 0);
    for (const path of ['/sources', '/sources/new', '/sources/x', '/completeness']) {
      await tab.visit(path);
      await tab.page.getByText('Only administrators see this page.').waitFor();
    }
    await tab.context.close();
  });

  it('adds a mailbox, shows its problem in plain words, changes it and switches it off', async () => {
    const tab = await openPage(world.browser, world.server);
    const { page } = tab;
    await logIn(tab, world.admin);
    await create(tab, '');
    await page.getByText('Each message is deleted on the server as soon as it is stored safely').waitFor();
    await page.getByLabel('Encryption').selectOption('none');
    await page.getByText('everybody on the way can read the password').waitFor();
    await page.getByLabel('Encryption').selectOption('auto');
    await page.getByRole('switch', { name: /^Keep messages/ }).click();
    await page.getByText('The mailbox will overflow').waitFor();
    await page.getByRole('button', { name: 'Add', exact: true }).click();
    const name = page.getByRole('textbox', { name: 'Name', exact: true });
    await page.getByText('Give it a name that no other source').waitFor();
    await page.waitForFunction(() => document.activeElement?.getAttribute('aria-invalid') === 'true');
    await assertAccessible(page, 'form with a mistake');
    await name.fill('info@firma.example');
    await page.getByRole('button', { name: 'Add', exact: true }).click();
    await page.waitForURL(/\/sources$/);
    const region = page.getByRole('table', { name: 'Sources of mail and how they fare' });
    await region.getByText('info@firma.example').waitFor();

    await withState(page, failing());
    await tab.visit('/sources');
    await page.getByText('The server does not accept user name or password.').waitFor();
    await page.getByText('Enter the password anew.').waitFor();
    await page.getByRole('button', { name: 'Details' }).click();
    await page.getByText('NO [AUTHENTICATIONFAILED] wrong').waitFor();
    await region.getByText('1,234', { exact: true }).waitFor();
    await assertAccessible(page, 'sources with a problem');
    await screenshot(page, 'sources');
    let asked = 0;
    await page.route('**/api/v1/sources/*/fetch', (route) => {
      asked++;
      return route.fulfill({ status: 204 });
    });
    await page.getByRole('button', { name: 'Fetch info@firma.example now' }).click();
    await eventually(() => assert.equal(asked, 1));
    await page.unroute('**/api/v1/sources');

    await page.getByRole('link', { name: 'Edit info@firma.example' }).click();
    await page.getByRole('heading', { name: 'Mailbox info@firma.example' }).waitFor();
    const field = page.getByLabel('Password', { exact: true });
    assert.equal(await field.inputValue(), '');
    await page.getByText('Leave empty to keep the stored one.').waitFor();
    assert.equal(await page.getByRole('textbox', { name: 'Port' }).inputValue(), '1');
    assert.doesNotMatch(await page.content(), new RegExp(password));
    await page.getByLabel('Server *').fill('mail.other.example');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByText('A stored one counts only for the server').waitFor();
    await page.getByLabel('Server *').fill('127.0.0.1');
    await page.getByRole('switch', { name: /^Fetch from this mailbox/ }).click();
    await page.getByRole('button', { name: 'Save' }).click();
    await page.waitForURL(/\/sources$/);
    await region.getByText('Switched off').waitFor();
    assertOnlyHome(tab);
    assert.deepEqual(tab.record.errors, []);
    await tab.context.close();
  });

  it('tests a connection, shows every step and pins the certificate', async () => {
    const tab = await openPage(world.browser, world.server);
    const { page } = tab;
    await logIn(tab, world.admin);
    let sent;
    await page.route('**/api/v1/mailbox-tests', (route) => {
      sent = JSON.parse(route.request().postData());
      const found = { protocol: 'imap', port: 993, tls: 'implicit' };
      const steps = [{ what: 'imap 993 implicit', ok: true, text: 'TLS 1.3' }, { what: 'log in', ok: sent.password !== password, text: 'AUTHENTICATE' }];
      const base = { found, steps, certificate: print, folders: ['INBOX', 'Sent'] };
      return route.fulfill({ json: sent.password === password ? { ...base, ok: false, problem: refused, messages: 0 } : { ...base, ok: true, messages: 4321 } });
    });
    await create(tab, 'tested');
    const result = page.getByTestId('test-result');
    await page.getByRole('button', { name: 'Test connection' }).click();
    await result.getByText('The server does not accept user name or password.').waitFor();
    await result.getByText('IMAP, port 993, TLS from the start: worked').waitFor();
    await result.getByText('Log in: failed').waitFor();
    await page.getByLabel('Password *').fill('right');
    await page.getByRole('button', { name: 'Test connection' }).click();
    await result.getByText('4,321 messages').waitFor();
    await result.getByRole('button', { name: 'Use these settings' }).click();
    assert.equal(await page.getByRole('textbox', { name: 'Port' }).inputValue(), '993');
    await result.getByRole('button', { name: 'Pin this certificate' }).click();
    assert.equal(await page.getByLabel('Pinned certificate').inputValue(), print);
    assert.equal(sent.mailbox.host, '127.0.0.1');
    await assertAccessible(page, 'result of a test');
    await tab.context.close();
  });

  it('adds a journal address that can be copied', async () => {
    const tab = await openPage(world.browser, world.server);
    const { page } = tab;
    await logIn(tab, world.admin);
    await tab.visit('/sources');
    await page.getByRole('link', { name: 'Add journal address' }).click();
    await page.getByLabel('Name *').fill('Exchange');
    await page.getByRole('button', { name: 'Add', exact: true }).click();
    await page.waitForURL(/\/sources$/);
    await eventually(async () => assert.equal(await page.getByRole('button', { name: 'Copy journal address' }).count(), 2));
    await page.getByRole('link', { name: 'Add journal address' }).click();
    await page.getByLabel('Name *').fill('Exchange');
    await page.getByRole('button', { name: 'Add', exact: true }).click();
    await page.getByText('Give it a name that no other source').waitFor();
    await tab.context.close();
  });

  it('accounts for every message and hands out the account as CSV', async () => {
    const tab = await openPage(world.browser, world.server);
    const { page } = tab;
    await logIn(tab, world.admin);
    const figures = await (await tab.context.request.get(`${tab.home}/api/v1/statistics`)).json();
    await page.getByRole('link', { name: 'Administration' }).click();
    await page.getByRole('link', { name: 'Completeness' }).click();
    const table = page.getByRole('table', { name: 'Messages offered' });
    const sum = table.getByRole('row', { name: /^Sum / });
    await sum.waitFor();
    assert.equal(await sum.getByRole('cell').first().innerText(), new Intl.NumberFormat('en-GB').format(figures.messages));
    await page.getByText('Kept aside with its reason').waitFor();
    await screenshot(page, 'completeness');
    await page.getByRole('button', { name: 'Download CSV' }).click();
    const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('menuitem', { name: 'With semicolons' }).click()]);
    const csv = await readFile(await download.path(), 'utf8');
    assert.ok(csv.startsWith('\uFEFFday;source;kind;'), csv.slice(0, 60));
    assert.match(csv, /;stored;\d+;\d+\r\n/);
    await page.getByLabel('Period').selectOption('own');
    await page.getByLabel('From').fill('2001-01-01');
    await page.getByLabel('To', { exact: true }).fill('2001-01-31');
    await page.getByText('Nothing was offered in this period.').waitFor();
    await page.waitForURL(/period=own.*to=2001-01-31|to=2001-01-31.*period=own/);
    await page.reload();
    await page.getByText('Nothing was offered in this period.').waitFor();
    await tab.context.close();
  });

  it('tells what a journal report said, and hands it to the sender', async () => {
    const tab = await openPage(world.browser, world.server);
    const { page } = tab;
    await logIn(tab, world.user);
    const account = await (await tab.context.request.get(`${tab.home}/api/v1/session`)).json();
    const [sender] = account.addresses;
    const people = { sender, member: 'member@firma.example', list: 'everybody@firma.example', blind: 'blind@firma.example' };
    const whole = report({ ...people, subject: 'Kastanienreport' });
    const broken = report({ ...people, subject: 'Kaputtreport', broken: true });
    await send({ address: world.server.smtp, from: 'journal@firma.example', to: world.server.journal, messages: [whole, broken] });
    const open = async (word) => {
      await eventually(async () => {
        const found = await (await tab.context.request.get(`${tab.home}/api/v1/search?q=${word}`)).json();
        assert.equal(found.total, 1);
      });
      await tab.visit(`/?q=${word}`);
      await page.locator('[role=option][id^=hit-]').first().click();
      await page.getByRole('article').waitFor();
      await page.getByRole('tab', { name: 'Proof & details' }).click();
    };
    await open('Kastanienreport');
    await page.getByRole('article').getByText('To (journal)').waitFor();
    await page.getByText('via list everybody@firma.example').first().waitFor();
    await page.getByText(`Microsoft 365: sent by ${sender}`).waitFor();
    await page.getByText('member@firma.example, via list everybody@firma.example').waitFor();
    await assertAccessible(page, 'journal record');
    await screenshot(page, 'journal-record');
    const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('link', { name: 'Download journal report' }).click()]);
    assert.ok((await readFile(await download.path())).equals(whole), 'the report differs from what was sent');
    await open('Kaputtreport');
    await page.getByText('This looks like a journal report, but could not be unwrapped.').waitFor();
    assert.equal(await page.getByRole('link', { name: 'Download journal report' }).count(), 0);
    await tab.context.close();
  });

  it('speaks German and fits a phone', async () => {
    const tab = await openPage(world.browser, world.server, { locale: 'de-DE', viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true });
    const { page } = tab;
    await withState(page, failing());
    await logIn(tab, world.admin);
    for (const [path, text] of [['/sources', 'Quellen'], ['/sources/new', 'Postfach hinzufügen'], ['/completeness', 'Vollständigkeit']]) {
      await tab.visit(path);
      await page.getByRole('heading', { level: 1, name: text }).waitFor();
      await page.waitForLoadState('networkidle');
      const [wanted, given] = await page.evaluate(() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]);
      assert.ok(wanted <= given, `${path} is ${wanted} wide, the screen ${given}`);
      await assertAccessible(page, `${path} on a phone`);
    }
    assert.deepEqual(tab.record.errors, []);
    await tab.context.close();
  });
}
