import assert from 'node:assert/strict';
import { it } from 'node:test';

import { assertAccessible, assertOnlyHome, logIn, openPage, screenshot } from './browser.mjs';
import { makeOperator } from './smarthost.mjs';

const chosen = 'birke-im-nebel-23';

async function enter({ page, visit }, { login, password }) {
  await visit('/login');
  await page.locator('input[name=login]').fill(login);
  await page.locator('input[name=password]').fill(password);
  await page.locator('form button[type=submit]').click();
  await page.waitForURL(/\/tenants$/u);
}

export function staff(world) {
  it('lets an operator disable staff, and give it a new password by a link', async () => {
    await makeOperator(world);
    const tab = await openPage(world.browser, world.server);
    const { page } = tab;
    await enter(tab, world.operator);
    const made = await page.evaluate(async () => {
      const post = (path, body) => fetch(`/api/v1${path}`, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) }).then((r) => r.json());
      const reseller = await post('/resellers', { slug: 'e2e-staff', name: 'Systemhaus Süd' });
      return post(`/resellers/${reseller.id}/staff`, { login: 'sina', name: 'Sina Süd', password: 'kastanie-am-fluss-17' });
    });
    assert.equal(made.login, 'sina');
    const other = await openPage(world.browser, world.server);
    await enter(other, { login: 'sina', password: 'kastanie-am-fluss-17' });
    await other.visit('/staff');
    await other.page.getByText('Staff can be seen by operators only.').waitFor();

    await page.getByRole('link', { name: 'Staff' }).click();
    await page.getByText('muniment operator create').waitFor(); // how there is another one
    const own = page.getByRole('region', { name: world.operator.login });
    await own.getByText('(you)').waitFor();
    assert.equal(await own.getByRole('button', { name: 'Disable' }).count(), 0, 'operators could lock themselves out');
    const sina = page.getByRole('region', { name: 'sina' });
    await sina.getByText('1 open session.').waitFor();
    await assertAccessible(page, 'staff');
    await sina.getByRole('button', { name: 'Disable' }).click();
    await sina.getByText('Disabled', { exact: true }).waitFor();
    assert.equal(await sina.getByRole('button', { name: 'Link for a new password' }).isDisabled(), true);
    await other.visit('/tenants');
    await other.page.waitForURL(/\/login/u);

    await sina.getByRole('button', { name: 'Enable' }).click();
    await sina.getByRole('button', { name: 'Link for a new password' }).click();
    const link = new URL((await sina.getByText(/\/link#/u).innerText()).trim());
    await assertAccessible(page, 'a link for staff');
    await screenshot(page, 'staff-link');
    await other.visit(`/link${link.hash}`);
    await other.page.getByLabel('New password', { exact: true }).fill(chosen);
    await other.page.getByLabel('New password again').fill(chosen);
    await other.page.getByRole('button', { name: 'Set password' }).click();
    await other.page.getByText('Your password is set').waitFor();
    await other.visit(`/link${link.hash}`);
    await other.page.reload();
    await other.page.getByText('This link is not valid any more').waitFor();
    await enter(other, { login: 'sina', password: chosen });

    await sina.getByRole('button', { name: 'Change' }).click();
    await page.getByLabel('Last day').fill('2020-01-31');
    await page.getByRole('button', { name: 'Save' }).click();
    await sina.getByText('Log-in until 31/01/2020.').waitFor();
    await other.visit('/tenants');
    await other.page.waitForURL(/\/login/u);
    for (const t of [tab, other]) {
      assertOnlyHome(t);
      assert.deepEqual(t.record.errors, []);
      await t.context.close();
    }
  });

  it('shows staff to nobody of a customer', async () => {
    const tab = await openPage(world.browser, world.server);
    await logIn(tab, world.admin);
    await tab.visit('/staff');
    await tab.page.getByText('Staff can be seen by operators only.').waitFor();
    await tab.context.close();
  });
}
