import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { after, before, it } from 'node:test';

import { assertOnlyHome, eventually, logIn, openPage, screenshot } from './browser.mjs';
import { attachment, exact, hostile } from './mails.mjs';
import { send } from './smtp.mjs';

const mark = `kennwort${process.pid}`;

export function message(world) {
  let tab;
  let page;
  let to;
  let bytes;

  before(async () => {
    tab = await openPage(world.browser, world.server);
    ({ page } = tab);
    await logIn(tab, world.user);
    const account = await (await tab.context.request.get(`${tab.home}/api/v1/session`)).json();
    [to] = account.addresses;
    const { smtp, journal } = world.server;
    bytes = exact({ to, mark });
    await send({ address: smtp, from: 'grace@partners.example', to: journal, messages: [bytes] });
    await send({ address: smtp, from: 'service@bank.example', to: journal, messages: [hostile({ to, canary: world.canary.url })] });
  });
  after(async () => {
    await tab?.context.close();
  });

  // open searches until the message is there (the budget is one second) and opens it.
  const open = async (query) => {
    const id = await eventually(async () => {
      const found = await (await tab.context.request.get(`${tab.home}/api/v1/search`, { params: { q: query } })).json();
      assert.equal(found.hits?.length, 1, `results of ${query}`);
      return found.hits[0].id;
    });
    await tab.visit(`/?${new URLSearchParams({ q: query, id })}`);
    await page.getByRole('article').waitFor();
    return id;
  };

  it('is archived over SMTP, found, marked and proven intact', async () => {
    await open(mark);
    const article = page.getByRole('article', { name: `Exact copy ${mark}` });
    await article.waitFor();
    await article.getByTestId('integrity').getByText(/Stored since .* just now: intact/).waitFor();
    assert.equal(await article.getByRole('tabpanel').locator('mark').first().innerText(), mark);
    await article.getByText('.a line that starts with a dot').waitFor();
    const checked = page.waitForResponse((r) => r.request().method() === 'POST' && r.url().endsWith('/check'));
    await article.getByRole('button', { name: 'Check again' }).click();
    assert.equal((await (await checked).json()).intact, true);
    await article.getByRole('tab', { name: 'Proof & details' }).click();
    await article.getByText('Because this address of yours is involved:').waitFor();
    await article.getByText(to, { exact: true }).first().waitFor();
    await article.getByText(createHash('sha256').update(bytes).digest('hex')).waitFor();
    await article.getByText('grace@partners.example', { exact: true }).first().waitFor();
  });

  it('comes back byte for byte, and so does its attachment', async () => {
    const article = page.getByRole('article');
    const original = page.waitForEvent('download');
    await article.getByRole('link', { name: 'Download original' }).click();
    const file = await original;
    assert.match(file.suggestedFilename(), /\.eml$/);
    assert.deepEqual(await readFile(await file.path()), bytes);
    const part = page.waitForEvent('download');
    await article.getByRole('link', { name: /^Download proof\.bin/ }).click();
    const second = await part;
    assert.equal(second.suggestedFilename(), 'proof.bin');
    assert.deepEqual(await readFile(await second.path()), attachment);
  });

  it('shows all headers and the source', async () => {
    const article = page.getByRole('article');
    await article.getByRole('tab', { name: 'Headers' }).click();
    await article.getByRole('rowheader', { name: 'X-First' }).waitFor();
    await article.getByRole('tab', { name: 'Source' }).click();
    await article.getByRole('region', { name: 'Source' }).getByText('preamble with trailing spaces').waitFor();
    await page.reload();
    await article.getByRole('tab', { name: 'Source', selected: true }).waitFor();
  });

  it('lets hostile mail run nothing and load nothing', async () => {
    await open('subject:"hostile mail"');
    const frame = page.frameLocator('iframe');
    await frame.getByText('this paragraph is harmless').waitFor();
    for (const button of await frame.getByRole('button').all()) {
      await button.click({ timeout: 2_000 }).catch(() => undefined);
    }
    const link = frame.getByRole('link', { name: 'real link' });
    assert.match(await link.getAttribute('rel'), /noreferrer/);
    assert.equal(await link.getAttribute('ping'), null);
    assert.equal(await link.getAttribute('target'), '_blank', 'a link would replace the frame');
    assert.equal(await frame.locator('a[href^="javascript" i], a[href^="data" i]').count(), 0);
    const size = await frame.getByText('COVER').evaluate((e) => ({ position: getComputedStyle(e).position, height: e.clientHeight }));
    assert.equal(size.position, 'static', 'the mail covers itself');
    await page.getByRole('tab', { name: 'Text', exact: true }).click(); // not covered by anything
    await page.getByRole('tab', { name: 'Formatted' }).click();
    await frame.getByText('this paragraph is harmless').waitFor();
    await page.waitForLoadState('networkidle');
    assert.deepEqual(world.canary.seen, [], 'the mail reached its sender');
    assertOnlyHome(tab);
    assert.equal(await page.evaluate(() => 'owned' in window), false, 'a script of the mail ran');
    assert.notEqual(await page.title(), 'owned');
    assert.equal(new URL(page.url()).origin, tab.home);
    assert.equal(page.frames().length, 2, 'the mail opened frames of its own');
    assert.match(page.frames()[1].url(), /\/html\?remote=false$/);
    await screenshot(page, 'hostile');
  });

  it('gives the frame no rights beyond opening links, whatever the mail contains', async () => {
    const sandbox = await page.locator('iframe').getAttribute('sandbox');
    assert.equal(sandbox, 'allow-popups allow-popups-to-escape-sandbox');
    const answer = await tab.context.request.get(page.frames()[1].url());
    const policy = answer.headers()['content-security-policy'] ?? '';
    assert.match(policy, /default-src 'none'/);
    assert.match(policy, /sandbox/, 'opened by itself the page must have no rights either');
    assert.doesNotMatch(policy, /script-src(?! 'none')/);
    const html = await answer.text();
    assert.doesNotMatch(html, /<script|<iframe|<object|<embed|<form|<base|http-equiv="?refresh|\son\w+\s*=|javascript:/i);
  });

  it('loads pictures from the Internet only on demand, and then nothing else', async () => {
    await page.getByText(/references to content from the Internet were blocked/).waitFor();
    await page.getByRole('button', { name: 'Load it' }).click();
    await page.getByText('Content from the Internet is shown.').waitFor();
    await page.frameLocator('iframe').getByText('this paragraph is harmless').waitFor();
    await page.waitForLoadState('networkidle');
    await eventually(async () => assert.ok(world.canary.seen.includes('GET /pixel.png'), `seen: ${world.canary.seen.join(', ')}`));
    const active = world.canary.seen.filter((r) => /script|style|import|frame|object|embed|form|refresh|ping|prefetch|applet|^POST/.test(r));
    assert.deepEqual(active, []);
    assert.equal(await page.evaluate(() => 'owned' in window), false);
    await page.getByRole('button', { name: 'Block it again' }).click();
    await page.getByText(/references to content from the Internet were blocked/).waitFor();
  });

  it('does not exist for people it was not meant for', async () => {
    const id = new URL(page.url()).searchParams.get('id');
    const others = world.server.logins.filter((l) => l.login !== world.user.login && l.role !== 'operator'); // operators have no mail at all
    assert.ok(others.length > 0);
    for (const other of others) {
      const stranger = await openPage(world.browser, world.server);
      await logIn(stranger, other);
      await stranger.visit(`/?id=${id}`);
      await stranger.page.getByText('This message does not exist, or you may not see it.').waitFor();
      await stranger.context.close();
    }
  });

  it('raised no error', () => {
    assert.deepEqual(tab.record.errors.filter((e) => !/\/html\?remote=/.test(e)), []);
  });
}
