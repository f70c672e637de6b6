import assert from 'node:assert/strict';
import { it } from 'node:test';

import { assertAccessible, eventually, logIn, openPage, screenshot } from './browser.mjs';
import { send } from './smtp.mjs';

const mail = (from, to, subject) =>
  `From: ${from}\r\nTo: ${to}\r\nSubject: ${subject}\r\nMessage-ID: <${subject.replace(/\W/gu, '')}@far.example>\r\nDate: Mon, 2 Mar 2026 10:00:00 +0100\r\n\r\nGeheimer Inhalt von ${subject}.\r\n`;

export function routing(world) {
  it('shows domains, selection and quarantine to administrators only', async () => {
    const tab = await openPage(world.browser, world.server);
    await logIn(tab, world.user);
    assert.equal(await tab.page.getByRole('link', { name: 'Quarantine' }).count(), 0);
    for (const path of ['/domains', '/selection', '/quarantine']) {
      await tab.visit(path);
      await tab.page.getByText('Only administrators see this page.').waitFor();
    }
    await tab.context.close();
  });

  it('adds domains, puts strange mail into quarantine, keeps and releases it', async () => {
    const tab = await openPage(world.browser, world.server);
    const { page } = tab;
    await logIn(tab, world.admin);
    const own = await page.evaluate(() => fetch('/api/v1/session').then((r) => r.json()));
    const address = own.addresses[0];
    const domain = address.split('@')[1];
    await tab.visit('/domains');
    await page.getByText('No domain is set, so all mail that arrives is archived').waitFor();
    await screenshot(page, 'domains-none');
    await assertAccessible(page, 'domains');
    const field = page.getByLabel('Domain', { exact: true });
    await field.fill('keine domain');
    await page.getByRole('button', { name: 'Add', exact: true }).click();
    await page.getByText('Enter a domain such as example.com.').waitFor();
    await field.fill('else.example');
    await page.getByRole('button', { name: 'Add', exact: true }).click();
    await page.getByText('else.example was added.').waitFor();

    const messages = [['y@far.example', 'Strange one'], ['y@far.example', 'Strange two'], [address, 'For the admin']].map(([to, subject]) => Buffer.from(mail('x@far.example', to, subject)));
    await send({ address: world.server.smtp, from: 'x@far.example', to: world.server.journal, messages });
    await tab.visit('/quarantine');
    await eventually(async () => {
      await page.reload();
      await page.getByText('Strange two').waitFor({ timeout: 5000 });
    });
    await page.getByRole('link', { name: /Quarantine, \d+ messages? waiting/u }).waitFor();
    assert.equal(await page.getByText('Geheimer Inhalt').count(), 0);
    await assertAccessible(page, 'quarantine');
    await screenshot(page, 'quarantine');
    await page.getByPlaceholder('Filter by sender, recipient or subject').fill('strange');
    await page.getByText('For the admin').waitFor({ state: 'detached' });
    await page.getByLabel('Select “Strange one”').check();
    await page.getByRole('button', { name: 'Keep here' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Reason').fill('Spam');
    await dialog.getByRole('button', { name: 'Keep here' }).click();
    await page.getByText('1 message stays in quarantine.').waitFor();
    await page.getByPlaceholder('Filter by sender, recipient or subject').fill('');
    await page.getByText('Kept here (1)').click();
    await page.getByText(/: Spam$/u).waitFor();

    await tab.visit('/domains');
    await field.fill(domain);
    await page.getByRole('button', { name: 'Add', exact: true }).click();
    await page.getByRole('link', { name: /1 message in quarantine belongs to this domain/u }).click();
    await page.getByRole('button', { name: 'Release all of it' }).click();
    await page.getByText('1 message was released.').waitFor();
    await tab.visit('/?q=subject:%22For%20the%20admin%22');
    await eventually(async () => {
      await page.reload();
      await page.getByText('For the admin').first().waitFor({ timeout: 5000 });
    });
    await tab.visit('/completeness?by=source&period=all');
    await page.getByRole('columnheader', { name: 'Released' }).waitFor();
    for (const d of ['else.example', domain]) { // as it was, for the other tests
      await tab.visit('/domains');
      await page.getByRole('button', { name: `Remove ${d}` }).click();
      await page.getByRole('dialog').getByRole('button', { name: 'Remove', exact: true }).click();
      await page.getByRole('button', { name: `Remove ${d}` }).waitFor({ state: 'detached' });
    }
    await tab.context.close();
  });

  it('selects addresses after a warning', async () => {
    const tab = await openPage(world.browser, world.server);
    const { page } = tab;
    await logIn(tab, world.admin);
    const many = Array.from({ length: 5000 }, (_, i) => `person${String(i).padStart(4, '0')}@firma.example`);
    await page.route('**/api/v1/selection/proposals', (route) => route.fulfill({ json: { addresses: many.map((a) => ({ address: a, name: '', user: false })) } }));
    await tab.visit('/selection');
    await page.getByRole('switch', { name: /^Archive only selected addresses/u }).click();
    await page.getByText('No address is selected').waitFor();
    const search = page.getByPlaceholder('Find or type addresses');
    assert.ok((await page.getByRole('checkbox').count()) < 100, 'the list is not virtual');
    const start = Date.now();
    await search.fill('person4321');
    await page.getByText('Select all 1 shown').waitFor();
    assert.ok(Date.now() - start < 3000, 'filtering is slow');
    await page.getByLabel('person4321@firma.example').check();
    await search.fill('Neu <neu@firma.example>');
    await page.getByRole('button', { name: 'Add neu@firma.example' }).click();
    await page.getByText('2 addresses selected').waitFor();
    await screenshot(page, 'selection');
    await assertAccessible(page, 'selection');
    await page.getByRole('button', { name: 'Save' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText('HGB § 257').waitFor();
    assert.ok(await dialog.getByRole('button', { name: 'Leave it out' }).isDisabled());
    await screenshot(page, 'selection-warning');
    await dialog.getByRole('checkbox').check();
    await dialog.getByRole('button', { name: 'Leave it out' }).click();
    await page.getByText(/Last changed .* by/u).waitFor();
    await page.reload();
    await page.getByText('2 addresses selected').waitFor();
    await page.getByRole('switch', { name: /^Archive only selected addresses/u }).click(); // as it was
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByText('All addresses are archived').waitFor();
    await tab.context.close();
  });
}
