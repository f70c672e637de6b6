import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { it } from 'node:test';
import { promisify } from 'node:util';

import { assertAccessible, assertOnlyHome, logIn, openPage, screenshot } from './browser.mjs';

const run = promisify(execFile);
const root = new URL('../../', import.meta.url).pathname;
export const password = 'kastanie-am-fluss-17';

// makePerson makes somebody on the command line, beside the running server.
export async function makePerson(world, login, role, name) {
  const file = join(world.server.data, 'spool', `e2e-${login}`);
  await writeFile(file, `${password}\n`, { mode: 0o600 });
  const binary = process.env.MUNIMENT_BINARY ?? join(root, 'bin', 'muniment');
  await run(binary, ['--data', world.server.data, 'user', 'create', 'nordlicht', login, '--role', role, '--name', name, '--password-file', file]);
}

const call = (page, path, body) => page.evaluate(async ([p, b]) => {
  const answer = await fetch(`/api/v1${p}`, b ? { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(b) } : {});
  return { status: answer.status, body: await answer.json() };
}, [path, body]);

export function deletion(world) {
  it('deletes a message for good if two people want it, and no hold is in the way', async () => {
    await makePerson(world, 'lotte', 'auditor', 'Lotte Revisorin');
    const anna = await openPage(world.browser, world.server);
    await logIn(anna, world.admin);
    const { page } = anna;
    const { hits } = (await call(page, '/search?order=oldest')).body;
    const [{ id }, { id: held }] = hits;
    await call(page, '/holds', { name: 'Rechtsstreit', reason: 'Klage vom 3. März', messages: [held] });

    await anna.visit('/access');
    await page.getByRole('button', { name: 'Messages by their numbers' }).click();
    const send = page.getByRole('button', { name: 'Send request' });
    const numbers = page.getByRole('textbox', { name: /^Numbers/u });
    for (const [typed, said] of [['abc', 'abc is not there'], [held, `${held} is on hold: Rechtsstreit.`]]) {
      await numbers.fill(typed);
      await page.getByRole('textbox', { name: /^Reason/u }).fill('Widerspruch nach Art. 21');
      await send.click();
      await page.getByText(said).waitFor();
    }
    await anna.visit(`/?id=${id}`);
    await page.getByRole('button', { name: 'Request deletion' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByRole('button', { name: 'Send request' }).click();
    await dialog.getByText('To delete it earlier, give a reason.').waitFor();
    await dialog.getByRole('textbox', { name: /^Reason/u }).fill('Private E-Mail');
    await assertAccessible(page, 'request for a deletion');
    await dialog.getByRole('button', { name: 'Send request' }).click();
    await dialog.getByRole('link', { name: 'To the access requests' }).click();
    const request = (tab) => tab.page.getByRole('article', { name: 'Request: Deletion of 1 message' });
    await request(anna).getByText('Waits for a decision').waitFor();
    assert.equal(await request(anna).getByRole('button', { name: /^Approve|Delete/u }).count(), 0, 'one person alone could delete');

    const lotte = await openPage(world.browser, world.server);
    await logIn(lotte, { login: 'lotte', password });
    await lotte.visit('/access');
    await request(lotte).getByRole('button', { name: 'Show the messages concerned' }).click();
    await request(lotte).getByText(id).waitFor();
    await assertAccessible(lotte.page, 'decision on a deletion');
    await request(lotte).getByRole('button', { name: 'Approve: Deletion of 1 message' }).click();
    await request(lotte).getByText('Approved').waitFor();
    await page.reload();
    await request(anna).getByRole('button', { name: 'Delete for good' }).click();
    await screenshot(page, 'deletion');
    await page.getByRole('button', { name: 'Yes, delete for good' }).click();
    await request(anna).getByText('Carried out').first().waitFor();

    assert.ok(!(await call(page, '/search?order=oldest')).body.hits.some((h) => h.id === id), 'it is still found');
    await anna.visit(`/?id=${id}`);
    await page.getByText('This message was deleted').waitFor();
    await page.getByRole('link', { name: 'Deleted messages' }).click();
    await page.getByRole('article', { name: id }).getByText('Private E-Mail').waitFor();
    await assertAccessible(page, 'tombstones');
    const csv = await anna.context.request.get(`${anna.home}/api/v1/tombstones.csv`);
    assert.match(await csv.text(), new RegExp(`^${id};.*Lotte Revisorin`, 'mu'));
    const bernd = await openPage(world.browser, world.server);
    await logIn(bernd, world.server.logins.find((l) => l.login === 'bernd'));
    assert.equal((await call(bernd.page, `/messages/${id}`)).status, 404, 'users learn that there was a message');
    await bernd.visit('/access/tombstones');
    await bernd.page.getByText('Your role has nothing to do with access').waitFor();
    for (const tab of [anna, lotte, bernd]) {
      assertOnlyHome(tab);
      assert.deepEqual(tab.record.errors, []);
      await tab.context.close();
    }
  });

  it('keeps what can be done with chosen messages inside of their list', async () => {
    for (const [locale, viewport] of [['en-GB', { width: 1360, height: 850 }], ['de-DE', { width: 390, height: 844 }]]) {
      const tab = await openPage(world.browser, world.server, { locale, viewport });
      await logIn(tab, world.admin);
      const row = tab.page.getByRole('listbox').getByRole('option').first();
      await row.hover();
      await row.locator('[aria-hidden]').first().click();
      const bar = tab.page.getByRole('group', { name: /^(?:Chosen messages|Ausgewählte Nachrichten)$/u });
      await bar.getByRole('button', { name: /^(?:Request deletion|Löschung beantragen)$/u }).waitFor();
      const over = await bar.evaluate((e) => e.scrollWidth - e.clientWidth);
      assert.ok(over <= 0, `${locale}: ${over} px outside of the list`);
      await tab.context.close();
    }
  });
}
