import assert from 'node:assert/strict';
import { it } from 'node:test';

import { assertAccessible, assertOnlyHome, eventually, logIn, openPage, screenshot } from './browser.mjs';
import { signed, startReceiver } from './receiver.mjs';
import { makeOperator } from './smarthost.mjs';

// enter logs the operator in and goes to the webhooks.
async function enter({ page, visit }, { login, password }) {
  await visit('/login');
  await page.locator('input[name=login]').fill(login);
  await page.locator('input[name=password]').fill(password);
  await page.locator('form button[type=submit]').click();
  await page.waitForURL(/\/tenants$/u);
  await visit('/webhooks');
}

export function webhooks(world) {
  let receiver;
  it('shows webhooks to administrators only', async () => {
    const tab = await openPage(world.browser, world.server);
    await logIn(tab, world.user);
    await tab.visit('/webhooks');
    await tab.page.getByText('Webhooks can be set by administrators only.').waitFor();
    await tab.context.close();
  });

  it('adds a webhook, shows what was not taken, and sends it again', async (t) => {
    receiver = await startReceiver();
    t.after(() => receiver.stop());
    await makeOperator(world);
    const tab = await openPage(world.browser, world.server);
    const { page } = tab;
    await enter(tab, world.operator);
    const make = page.getByRole('region', { name: 'New webhook' });
    await make.getByLabel('Address').fill('http://127.0.0.2:1/x');
    await make.getByLabel('Description').fill('Shop');
    await make.getByRole('button', { name: 'Create' }).click();
    await make.getByRole('alert').waitFor();
    await assertAccessible(page, 'webhook with mistakes');
    await make.getByLabel('Address').fill(receiver.url);
    await make.getByLabel('Customer created').check();
    await make.getByRole('button', { name: 'Create' }).click();
    const secret = (await make.getByText(/^whsec_/u).innerText()).trim();
    await assertAccessible(page, 'a new webhook');

    const hook = page.getByRole('region', { name: 'Shop' });
    receiver.answer.status = 403;
    receiver.answer.text = 'wrong <b>secret</b>';
    await hook.getByRole('button', { name: 'Send test' }).click();
    await hook.getByText('The receiver does not take it.').waitFor();
    await hook.getByText('Answer: wrong <b>secret</b>').waitFor();
    receiver.answer.status = 503;
    receiver.answer.text = 'closed';
    const slug = `hook-${Date.now()}`;
    await page.evaluate((body) => fetch('/api/v1/provisioning/tenants', { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) }),
      { slug, name: 'Haken GmbH', reference: slug, domains: [{ name: `${slug}.example` }] });
    await hook.getByRole('button', { name: 'Deliveries' }).click();
    const dialog = page.getByRole('dialog', { name: 'Deliveries' });
    await dialog.getByText('The receiver is there and cannot take it at present.').waitFor();
    await dialog.getByText('Answer: closed').waitFor();
    await dialog.getByRole('button', { name: 'Show what is sent' }).click();
    await dialog.getByText('"type": "tenant.created"').waitFor();
    await assertAccessible(page, 'deliveries');
    await screenshot(page, 'webhook-deliveries');
    receiver.answer.status = 204;
    receiver.answer.text = '';
    await dialog.getByRole('button', { name: 'Send again' }).click();
    await dialog.getByText('Taken', { exact: true }).waitFor();
    const last = receiver.calls.at(-1);
    assert.equal(JSON.parse(last.body).type, 'tenant.created');
    assert.ok(signed(last, secret), 'the signature is of another secret');
    await dialog.getByRole('button', { name: 'Close' }).click();
    await page.reload();
    await hook.getByText(/^Taken last/u).waitFor();
    await screenshot(page, 'webhooks');

    // A new secret signs beside the old one.
    await hook.getByRole('button', { name: 'New secret' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'New secret' }).click();
    const next = (await page.getByRole('dialog').getByText(/^whsec_/u).innerText()).trim();
    assert.notEqual(next, secret);
    await page.getByRole('dialog').getByRole('button', { name: 'Close' }).last().click();
    await hook.getByText('The secret before this one is valid as well until').waitFor();
    await hook.getByRole('button', { name: 'Send test' }).click();
    await hook.getByText('The receiver has taken the test').waitFor();
    const test = receiver.calls.at(-1);
    assert.ok(signed(test, secret) && signed(test, next), 'one of the two secrets does not sign');

    await hook.getByRole('button', { name: 'Switch off' }).click();
    await hook.getByText('Off', { exact: true }).waitFor();
    await hook.getByRole('button', { name: 'Remove' }).click();
    await page.getByRole('dialog').getByText('is told of nothing any more').waitFor();
    await page.getByRole('dialog').getByRole('button', { name: 'Remove' }).click();
    await eventually(async () => assert.equal(await hook.count(), 0));
    assertOnlyHome(tab);
    assert.deepEqual(tab.record.errors, []);
    await tab.context.close();
  });
}
