import assert from 'node:assert/strict';
import { it } from 'node:test';

import { assertAccessible, assertOnlyHome, logIn, openPage, screenshot } from './browser.mjs';
import { makeOperator } from './smarthost.mjs';

const domain = 'bewiesen.example';

async function enterOperator(world) {
  const tab = await openPage(world.browser, world.server);
  const { page } = tab;
  await tab.visit('/login');
  await page.locator('input[name=login]').fill(world.operator.login);
  await page.locator('input[name=password]').fill(world.operator.password);
  await page.locator('form button[type=submit]').click();
  await page.waitForURL(/\/tenants$/u);
  await page.getByRole('link', { name: 'Address and certificate' }).click();
  return tab;
}

export function domains(world) {
  it('lets the operator set what holds for the domains of customers', async () => {
    await makeOperator(world);
    const tab = await enterOperator(world);
    const { page } = tab;
    const rules = page.getByRole('region', { name: 'Domains of customers' });
    const journal = rules.getByLabel('Domain of new journal addresses');
    await journal.fill('kein name');
    await rules.getByRole('button', { name: 'Save' }).click();
    await rules.getByRole('alert').waitFor();
    await assertAccessible(page, 'mail rules with a mistake');
    await journal.fill('journal.archiv.example');
    await rules.getByLabel('Customers have to prove that a domain is theirs').check();
    await rules.getByRole('button', { name: 'Save' }).click();
    await rules.getByText('Saved.').waitFor();
    await page.reload();
    assert.equal(await journal.inputValue(), 'journal.archiv.example');
    assert.equal(await rules.getByLabel('Customers have to prove that a domain is theirs').isChecked(), true);
    await screenshot(page, 'mail-rules');
    const made = await page.evaluate((name) => fetch('/api/v1/provisioning/tenants', { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ name, reference: name }) })
      .then((r) => r.json()), `Regeln ${Date.now()}`);
    assert.match(made.journal_address, /@journal\.archiv\.example$/u);
    assertOnlyHome(tab);
    assert.deepEqual(tab.record.errors, []);
    await tab.context.close();
  });

  it('proves a domain by a record in the DNS, and says what is wrong with one', async () => {
    const { dns } = world.server;
    const tab = await openPage(world.browser, world.server);
    const { page } = tab;
    await logIn(tab, world.admin);
    await tab.visit('/domains');
    await page.getByLabel('Domain', { exact: true }).fill(domain);
    await page.getByRole('button', { name: 'Add', exact: true }).click();
    await page.getByText(`${domain} was added.`).waitFor();
    const row = page.getByRole('row', { name: new RegExp(domain, 'u') });
    await row.getByText('Until it is proven that this domain is yours, nobody sees its mail.').waitFor();
    await row.getByRole('button', { name: `How to prove ${domain}` }).click();
    const dialog = page.getByRole('dialog');
    const [record, value] = await dialog.locator('code').allInnerTexts();
    assert.ok(record.endsWith(domain), record);
    const check = dialog.getByRole('button', { name: 'Check now' });
    await check.click();
    await dialog.getByText('There is no such TXT record yet.').waitFor();
    assert.deepEqual([...new Set(dns.asked)], [record.replace(/\.$/u, '').toLowerCase()]);
    dns.records.set(record.toLowerCase(), ['v=spf1 -all', `${value}x`]);
    await check.click();
    await dialog.getByText('There is such a record, but its text is another one.').waitFor();
    await assertAccessible(page, 'a domain that is not proven');
    await screenshot(page, 'domain-proof');
    dns.records.set(record.toLowerCase(), ['v=spf1 -all', value]);
    await check.click();
    await dialog.getByText(/^Proven on/u).waitFor();
    assert.equal(await dialog.getByText('There is such a record').count(), 0);
    await dialog.getByRole('button', { name: 'Close' }).last().click();
    await row.getByText(/^Proven on/u).waitFor();
    assert.equal(await row.getByText('Until it is proven').count(), 0);
    await page.getByRole('button', { name: `Remove ${domain}` }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Remove' }).click();
    await row.waitFor({ state: 'detached' });
    assertOnlyHome(tab);
    assert.deepEqual(tab.record.errors, []);
    await tab.context.close();
  });

  it('goes back to the rules of the configuration file', async () => {
    const tab = await enterOperator(world);
    const rules = tab.page.getByRole('region', { name: 'Domains of customers' });
    await rules.getByLabel('Domain of new journal addresses').fill('');
    await rules.getByLabel('Customers have to prove that a domain is theirs').uncheck();
    await rules.getByRole('button', { name: 'Save' }).click();
    await rules.getByText('Saved.').waitFor();
    await tab.context.close();
  });
}
