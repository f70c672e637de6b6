import assert from 'node:assert/strict';
import { it } from 'node:test';

import { assertAccessible, assertOnlyHome, logIn, openPage, screenshot } from './browser.mjs';
import { makePerson, password } from './deletion.mjs';

export function retention(world) {
  it('holds a message until two people lift it', async () => {
    await makePerson(world, 'hanna', 'dpo', 'Hanna Datenschutz');
    const anna = await openPage(world.browser, world.server);
    await logIn(anna, world.admin);
    const { page } = anna;
    const { hits } = await page.evaluate(() => fetch('/api/v1/search?order=oldest').then((r) => r.json()));
    await anna.visit(`/?id=${hits[0].id}&view=details`);
    await page.getByText('Kept until at least').waitFor();
    await page.getByRole('link', { name: 'Place a hold on it' }).click();
    await page.getByRole('button', { name: 'Place a hold' }).click();
    await page.getByText('Reason: at least 10 characters').waitFor();
    await page.getByRole('textbox', { name: /^Name/u }).fill('Steuerprüfung');
    await page.getByRole('textbox', { name: /^Reason/u }).fill('Schreiben des Finanzamts vom 4. Mai');
    await assertAccessible(page, 'a new hold');
    await page.getByRole('button', { name: 'Place a hold' }).click();
    const hold = page.getByRole('article', { name: 'Hold Steuerprüfung' });
    await hold.getByText('In force').waitFor();
    await hold.getByRole('button', { name: /^Ask to lift/u }).click();
    await hold.getByRole('textbox', { name: /^Why/u }).fill('Die Prüfung ist beendet');
    await hold.getByRole('button', { name: 'Send request' }).click();
    await hold.getByRole('link', { name: 'A request to lift it waits for a decision.' }).click();
    const request = (tab) => tab.page.getByRole('article', { name: 'Request: Lift the hold Steuerprüfung' });
    await request(anna).waitFor();
    assert.equal(await request(anna).getByRole('button', { name: /^Approve/u }).count(), 0, 'whoever asks could approve');

    const hanna = await openPage(world.browser, world.server);
    await logIn(hanna, { login: 'hanna', password });
    await hanna.visit('/access');
    await assertAccessible(hanna.page, 'a request to lift a hold');
    await request(hanna).getByRole('button', { name: 'Approve: Lift the hold Steuerprüfung' }).click();
    await request(hanna).getByText('Carried out').waitFor();
    await anna.visit('/retention');
    await hold.getByText('Lifted').first().waitFor();
    await hold.getByText('approved by Hanna Datenschutz').waitFor();

    await page.getByRole('textbox', { name: 'Years' }).fill('9');
    await page.getByRole('textbox', { name: /^Why/u }).fill('Keine Belege in der Post');
    await page.getByRole('button', { name: 'Ask for the shorter period' }).click();
    await page.getByText('A request for a shorter period waits').waitFor();
    await hanna.page.reload();
    await hanna.page.getByRole('button', { name: 'Approve: Keep mail for a shorter time' }).click();
    await hanna.page.getByRole('article', { name: 'Request: Keep mail for a shorter time' }).getByText('Carried out').waitFor();
    await page.reload();
    await page.getByText('9 years, Germany').first().waitFor();
    await assertAccessible(page, 'retention and holds');
    await screenshot(page, 'retention');
    for (const tab of [anna, hanna]) {
      assertOnlyHome(tab);
      assert.deepEqual(tab.record.errors, []);
      await tab.context.close();
    }
  });
}
