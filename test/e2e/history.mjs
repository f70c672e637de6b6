import assert from 'node:assert/strict';
import { it } from 'node:test';

import { assertAccessible, assertOnlyHome, eventually, logIn, openPage } from './browser.mjs';

const folder = { name: 'Archiv/Müller', on_server: 1500, bytes: 9e6, listed: 1500, known: 100, offered: 1400, stored: 0, duplicate: 0, left: 0, gone: 0, arrived: 0, due: 1234, intact: 0, removed: 0, remaining: 1500, reasons: [], done: true };
const dryRun = {
  dry_run: true, remove_older_than_days: 30, asked: { folders: [], drafts: false, spam: false, trash: false }, started_at: '2026-01-02T10:00:00Z', ended_at: '2026-01-02T10:00:09Z',
  remove_before: '2025-12-03T10:00:00Z', folders: [folder], left_out: [{ name: 'Papierkorb', why: 'trash', missing: false }], complete: true, disagreements: [],
};

// What the page makes of reports is tested here; histories themselves elsewhere.
export function history(world) {
  it('shows a dry run, wants the number typed, shows progress and a disagreement', async () => {
    const tab = await openPage(world.browser, world.server);
    const { page } = tab;
    await logIn(tab, world.admin);
    const made = await page.evaluate(async () => {
      const mailbox = { protocol: 'imap', host: '127.0.0.1', port: 1, tls: 'implicit', user: 'info' };
      const answer = await fetch('/api/v1/sources', { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ kind: 'mailbox', name: 'Historie', disabled: true, mailbox, password: 'x' }) });
      return answer.json();
    });
    let state = { running: false };
    const asked = [];
    await page.route('**/api/v1/sources/*/history', (route) => {
      if (route.request().method() !== 'GET') {
        asked.push([route.request().method(), route.request().postDataJSON()]);
        state = { running: true, report: { ...dryRun, complete: false, folders: [{ ...folder, listed: 300 }] } };
        return route.fulfill({ status: 204 });
      }
      return route.fulfill({ json: state });
    });
    await tab.visit(`/sources/${made.id}`);
    const panel = page.getByRole('region', { name: 'Archive the history' });
    await panel.getByLabel('Remove from the server').fill('30');
    await panel.getByRole('button', { name: 'Dry run' }).click();
    await panel.getByText('300 of 1,500 messages').waitFor();
    assert.deepEqual(asked[0], ['POST', { dry_run: true, remove_older_than_days: 30, drafts: false, spam: false, trash: false }]);
    await assertAccessible(page, 'dry run under way');
    state = { running: false, report: dryRun };
    await panel.getByText('1,234 messages would be removed from the server').waitFor();
    await panel.getByText('Papierkorb (Trash)').waitFor();
    await assertAccessible(page, 'dry run');
    const go = panel.getByRole('button', { name: 'Archive and remove' });
    await panel.getByLabel('To confirm').fill('1233');
    assert.equal(await go.isDisabled(), true);
    await panel.getByLabel('To confirm').fill('1,234');
    await go.click();
    await eventually(() => assert.deepEqual(asked[1], ['POST', { remove_older_than_days: 30, confirm: 1234, drafts: false, spam: false, trash: false }]));
    await panel.getByRole('button', { name: 'Break off' }).click();
    await eventually(() => assert.equal(asked[2]?.[0], 'DELETE'));
    state = { running: false, report: { ...dryRun, dry_run: false, complete: false, disagreements: [{ folder: 'Archiv/Müller', text: 'the server counts 1500 messages and SEARCH finds 1497' }] } };
    await panel.getByText('Counts do not agree in Archiv/Müller').waitFor();
    assert.equal(await go.count(), 0);
    await assertAccessible(page, 'disagreement');
    assertOnlyHome(tab);
    assert.deepEqual(tab.record.errors, []);
    await tab.context.close();
  });
}
