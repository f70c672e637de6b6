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
const concerned = 'bernd.juergensen@nordlicht.example';

// makePeople makes an auditor and a data-protection officer on the command line,
// beside the running server.
async function makePeople(world) {
  const file = join(world.server.data, 'spool', 'e2e-password');
  await writeFile(file, `${password}\n`, { mode: 0o600 });
  const binary = process.env.MUNIMENT_BINARY ?? join(root, 'bin', 'muniment');
  for (const [login, role, name] of [['rita', 'auditor', 'Rita Revisor'], ['dora', 'dpo', 'Dora Datenschutz']]) {
    await run(binary, ['--data', world.server.data, 'user', 'create', 'nordlicht', login, '--role', role, '--name', name, '--address', `${login}@nordlicht.example`, '--password-file', file]);
  }
}

async function enter(world, login, options) {
  const tab = await openPage(world.browser, world.server, options);
  await tab.visit('/login');
  await tab.page.locator('input[name=login]').fill(login);
  await tab.page.locator('input[name=password]').fill(password);
  await tab.page.locator('form button[type=submit]').click();
  await tab.page.getByRole('search').waitFor();
  return tab;
}

export function access(world) {
  it('lets two people together read mail of a third, and tells of it', async () => {
    await makePeople(world);
    const rita = await enter(world, 'rita');
    await rita.page.getByText('No messages yet').or(rita.page.getByText('0 messages')).first().waitFor();
    await rita.page.getByRole('link', { name: 'Request access' }).click(); // an empty search says what she can do
    await rita.page.getByRole('heading', { name: 'Ask for access' }).waitFor();
    await rita.page.getByRole('textbox', { name: /^Reason/ }).fill('short');
    await rita.page.getByRole('button', { name: 'Send request' }).click();
    await rita.page.getByRole('alert').getByText('Please check what you have entered.').waitFor();
    for (const [field, text] of [['Mail addresses', 'by at least one address'], [/^Reason/, 'at least 10 characters']]) {
      const box = rita.page.getByRole(field === 'Mail addresses' ? 'combobox' : 'textbox', { name: field });
      assert.equal(await box.getAttribute('aria-invalid'), 'true', `${field} is not marked`);
      await rita.page.getByText(text).waitFor();
    }
    await assertAccessible(rita.page, 'access requests of an auditor');
    await rita.page.getByRole('combobox', { name: 'Mail addresses' }).fill(concerned);
    await rita.page.keyboard.press('Enter');
    await rita.page.getByRole('textbox', { name: /^Reason/ }).fill('Verdacht auf Bestechung im Einkauf');
    await screenshot(rita.page, 'access-form');
    await rita.page.getByRole('button', { name: 'Send request' }).click();
    const mine = rita.page.getByRole('article', { name: `Request for ${concerned}` });
    await mine.getByText('Waits for a decision').waitFor();
    assert.equal(await mine.getByRole('button', { name: /^Approve/ }).count(), 0, 'the auditor could approve');

    const dora = await enter(world, 'dora');
    await dora.page.getByRole('link', { name: 'Access requests, 1 waits for your decision' }).click();
    const asked = dora.page.getByRole('article', { name: `Request for ${concerned}` });
    await asked.getByText('Rita Revisor (Auditor)').waitFor();
    await asked.getByLabel('Note on the decision').fill('geprüft');
    await screenshot(dora.page, 'access-decision');
    await asked.getByRole('button', { name: `Approve access to ${concerned}` }).click();
    await asked.getByText('Approved').waitFor();
    assert.equal(await asked.getByRole('link', { name: 'Read mail' }).count(), 0, 'whoever approves could read');

    await rita.page.reload();
    await mine.getByRole('link', { name: 'Read mail' }).click();
    await rita.page.getByText(`You are reading mail of ${concerned}. Reason: Verdacht auf Bestechung im Einkauf.`).waitFor();
    await rita.page.locator('[role=option], [data-index]').first().click();
    await rita.page.getByRole('heading', { level: 2 }).first().waitFor();
    await rita.page.waitForURL(/grant=.*id=|id=.*grant=/);
    await assertAccessible(rita.page, 'search under a request');
    await screenshot(rita.page, 'access-reading');
    // The way to one's own mail leaves the access.
    await rita.page.getByRole('link', { name: 'Search', exact: true }).click();
    await rita.page.waitForURL((url) => !url.search.includes('grant'));
    await rita.page.getByText('You are reading mail of').waitFor({ state: 'detached' });

    await dora.page.getByRole('link', { name: 'Access records: what was read' }).click();
    await dora.page.getByText('Rita Revisor: opened a message').first().waitFor();
    await assertAccessible(dora.page, 'access records');
    await screenshot(dora.page, 'access-records');
    const csv = await dora.context.request.get(`${dora.home}/api/v1/access-records.csv`);
    assert.match(await csv.text(), /Rita Revisor;message\.read/u);

    const bernd = await openPage(world.browser, world.server);
    await logIn(bernd, world.server.logins.find((l) => l.login === 'bernd'));
    await bernd.visit('/account');
    await bernd.page.getByText('Rita Revisor: opened a message').first().waitFor();

    await dora.page.getByRole('link', { name: /^Access requests/ }).click();
    await asked.getByRole('button', { name: 'End access' }).click();
    await asked.getByText('Ended', { exact: true }).first().waitFor();
    await rita.page.goBack();
    await rita.page.reload();
    await rita.page.getByText('This access has ended or expired').first().waitFor();
    for (const tab of [rita, dora, bernd]) {
      assertOnlyHome(tab);
      await tab.context.close();
    }
  });

  it('fits a phone, in German and dark', async () => {
    const tab = await enter(world, 'rita', { viewport: { width: 390, height: 844 }, locale: 'de-DE', colorScheme: 'dark' });
    await tab.visit('/access');
    await tab.page.getByRole('heading', { name: 'Zugriff beantragen' }).waitFor();
    const wide = await tab.page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
    assert.ok(wide <= 0, `the page is ${wide} px too wide`);
    await assertAccessible(tab.page, 'access requests on a phone');
    await screenshot(tab.page, 'access-phone');
    await tab.context.close();
  });
}
