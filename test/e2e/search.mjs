import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';

import { assertOnlyHome, eventually, logIn, openPage } from './browser.mjs';
import { ordinary } from './mails.mjs';
import { send } from './smtp.mjs';

const sent = 140; // more than two pages

const total = async (page) => Number((await page.getByRole('status').filter({ hasText: /message/ }).first().innerText()).replace(/\D/g, ''));

export function search(world) {
  let tab;
  let page;
  let field;
  let list;

  before(async () => {
    tab = await openPage(world.browser, world.server);
    ({ page } = tab);
    field = page.getByRole('combobox', { name: 'Search the archive' });
    list = page.getByRole('listbox', { name: 'Results' });
    await logIn(tab, world.user);
    const { request } = tab.context;
    const account = await (await request.get(`${tab.home}/api/v1/session`)).json();
    await send({ address: world.server.smtp, from: 'reports@partners.example', to: world.server.journal, messages: ordinary({ to: account.addresses[0], n: sent }) });
    await eventually(async () => {
      const found = await (await request.get(`${tab.home}/api/v1/search`, { params: { q: 'subject:"weekly report"' } })).json();
      assert.equal(found.total, sent);
    });
    await tab.visit('/');
    await list.getByRole('option').first().waitFor();
  });
  after(async () => {
    await tab?.context.close();
  });

  const find = async (query) => {
    await field.fill(query);
    await field.press('Enter');
    await page.waitForURL((url) => (url.searchParams.get('q') ?? '') === query);
  };

  it('shows the newest mail first, tells how much there is and how long it took', async () => {
    assert.ok((await total(page)) >= sent);
    await page.getByText(/^\d+ ms$/).waitFor();
    const dates = await list.locator('time').evaluateAll((all) => all.map((t) => t.dateTime));
    assert.deepEqual(dates, [...dates].sort().reverse());
    await page.getByRole('combobox', { name: 'Order' }).selectOption('oldest');
    await page.waitForURL(/order=oldest/);
    await page.waitForFunction((first) => document.querySelector('[role=listbox] time')?.dateTime !== first, dates[0]);
    const oldest = await list.locator('time').evaluateAll((all) => all.map((t) => t.dateTime));
    assert.deepEqual(oldest, [...oldest].sort());
    await page.getByRole('combobox', { name: 'Order' }).selectOption('newest');
  });

  it('scrolls through any number of results and keeps few of them in the document', async () => {
    await find('subject:"weekly report"');
    const rows = list.getByRole('option');
    await rows.first().waitFor();
    const seen = new Set();
    while (seen.size < sent) {
      const before = seen.size;
      await eventually(async () => {
        for (const id of await rows.evaluateAll((all) => all.map((row) => row.id))) {
          seen.add(id);
        }
        assert.ok((await rows.count()) < 40, 'rows in the document');
        await list.evaluate((box) => box.scrollBy(0, box.clientHeight));
        assert.ok(seen.size > before);
      });
    }
    assert.equal(seen.size, sent);
    await page.getByRole('button', { name: 'Clear the search' }).click();
    await page.waitForURL((url) => !url.searchParams.has('q'));
    await page.waitForFunction(() => document.querySelector('[role=option]')?.getAttribute('aria-posinset') === '1');
  });

  it('suggests operators and people while somebody types', async () => {
    await field.click();
    await field.pressSequentially('fro');
    const options = page.getByRole('listbox', { name: 'Suggestions' });
    const settled = page.locator('[role=listbox][aria-busy=false]').getByRole('option');
    await settled.getByText('from:', { exact: true }).waitFor();
    await field.press('ArrowDown');
    await field.press('Enter');
    assert.equal(await field.inputValue(), 'from:');
    await field.pressSequentially('an');
    await settled.filter({ has: page.getByRole('img', { name: 'Person' }) }).first().waitFor();
    await options.getByRole('option').filter({ has: page.getByRole('img', { name: 'Person' }) }).first().click();
    assert.match(await field.inputValue(), /^from:anna\S*@/);
    await field.press('Enter');
    await page.waitForURL(/q=from/);
    await list.getByRole('option').first().waitFor();
  });

  it('turns operators into chips that can be taken away one by one', async () => {
    const sender = await field.inputValue();
    await find(`${sender.trim()} -has:attachment`);
    const chips = page.getByRole('list', { name: 'Conditions of this search' });
    await chips.getByRole('button', { name: /^Remove condition not has/ }).click();
    await page.waitForURL((url) => url.searchParams.get('q') === sender.trim());
    assert.equal(await field.inputValue(), sender.trim());
    await chips.getByRole('button', { name: /^Remove condition from/ }).click();
    await page.waitForURL((url) => !url.searchParams.has('q'));
    assert.equal(await field.inputValue(), '');
    assert.equal(await chips.count(), 0);
  });

  it('narrows by facets and widens again', async () => {
    const all = await total(page);
    const filters = page.getByRole('complementary', { name: 'Filters' });
    const box = filters.getByRole('checkbox', { name: /^With attachment/ });
    const promised = Number((await box.getAttribute('aria-label')).replace(/\D/g, ''));
    await box.click();
    await page.waitForURL(/q=/);
    await page.waitForFunction((n) => document.querySelector('main [role=status]')?.textContent.replace(/\D/g, '') === String(n), promised);
    assert.ok(promised < all);
    assert.equal(await list.getByRole('img', { name: /attachment/ }).count(), await list.getByRole('option').count());
    await filters.getByRole('checkbox', { name: /^With attachment/, checked: true }).click();
    await page.waitForURL((url) => !url.searchParams.has('q'));
  });

  it('points at a mistake, explains it and proposes a correction', async () => {
    await find('subject:report form:anna');
    const note = page.getByRole('alert');
    await note.waitFor();
    assert.equal(await field.getAttribute('aria-invalid'), 'true');
    assert.match(await note.locator('mark').innerText(), /form/);
    await note.getByRole('button', { name: /from:anna/ }).click();
    await page.waitForURL((url) => url.searchParams.get('q') === 'subject:report from:anna');
    await note.waitFor({ state: 'detached' });
    await find('"not closed');
    await note.waitFor();
    await page.getByRole('button', { name: 'Clear the search' }).click();
    await note.waitFor({ state: 'detached' });
  });

  it('says so when nothing is found, and keeps its state in the address', async () => {
    await find('zzqqxxyyzz');
    await page.getByRole('heading', { name: 'Nothing found' }).waitFor();
    await page.reload();
    await page.getByRole('heading', { name: 'Nothing found' }).waitFor();
    assert.equal(await field.inputValue(), 'zzqqxxyyzz');
    await page.goBack();
    await list.getByRole('option').first().waitFor();
    await page.goForward();
    await page.getByRole('button', { name: 'Show all mail' }).click();
    await list.getByRole('option').first().waitFor();
  });

  it('can be used with the keyboard alone', async () => {
    await page.evaluate(() => document.activeElement?.blur());
    const chosen = () => list.getByRole('option', { selected: true }).getAttribute('aria-posinset');
    await page.keyboard.press('j');
    await page.waitForURL(/id=/);
    assert.equal(await chosen(), '1');
    await page.keyboard.press('j');
    await page.keyboard.press('j');
    await page.waitForFunction(() => document.querySelector('[role=option][aria-selected=true]')?.getAttribute('aria-posinset') === '3');
    await page.keyboard.press('k');
    await page.waitForFunction(() => document.querySelector('[role=option][aria-selected=true]')?.getAttribute('aria-posinset') === '2');
    await page.getByRole('article').waitFor();
    const download = page.waitForEvent('download');
    await page.keyboard.press('d');
    assert.match((await download).suggestedFilename(), /\.eml$/);
    await page.keyboard.press('Enter');
    await page.waitForFunction(() => document.activeElement?.getAttribute('aria-label') === 'Message');
    await page.keyboard.press('Escape');
    await page.waitForURL((url) => !url.searchParams.has('id'));
    await page.keyboard.press('/');
    assert.equal(await field.evaluate((f) => f === document.activeElement), true);
    await page.keyboard.type('j');
    assert.equal(await field.inputValue(), 'j', 'shortcuts must not eat what is typed');
    await page.getByRole('button', { name: 'Clear the search' }).click();
    await page.keyboard.press('Escape');
    await page.keyboard.press('Escape');
    await page.keyboard.press('?');
    await page.getByRole('dialog', { name: 'Keyboard shortcuts' }).waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
  });

  it('asked nobody but the server', () => {
    assertOnlyHome(tab);
    assert.deepEqual(tab.record.errors, []);
  });
}
