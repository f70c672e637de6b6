// The walk of somebody who has never seen the archive: proofs from the browser, checked
// with our small program, and with openssl alone.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, open, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, it } from 'node:test';
import { pathToFileURL } from 'node:url';

import { assertAccessible, assertOnlyHome, eventually, logIn, openPage, pictureFile, screenshot } from './browser.mjs';
import { proven } from './mails.mjs';
import { send } from './smtp.mjs';

const root = new URL('../../', import.meta.url).pathname;
const verifier = process.env.MUNIMENT_VERIFY ?? join(root, 'bin', 'muniment-verify');
const query = 'subject:"Angebot zur Probe"';

// run runs a program and tells how it ended and what it said.
const run = (program, args, cwd) =>
  new Promise((resolve) => {
    execFile(program, args, { cwd, timeout: 60_000, maxBuffer: 1 << 24 }, (error, stdout, stderr) => {
      resolve({ code: error ? (error.code ?? -1) : 0, said: stdout + stderr });
    });
  });

export function proof(world) {
  let dir;
  let tab;
  let page;

  before(async () => {
    dir = await mkdtemp(join(tmpdir(), 'muniment-proof-'));
    tab = await openPage(world.browser, world.server);
    ({ page } = tab);
    await logIn(tab, world.admin);
    const { request } = tab.context;
    const account = await (await request.get(`${tab.home}/api/v1/session`)).json();
    await send({ address: world.server.smtp, from: 'kontor@partners.example', to: world.server.journal, messages: proven({ to: account.addresses[0] }) });
    await eventually(async () => { // a demonstration is sealed within a minute
      const { hits } = await (await request.get(`${tab.home}/api/v1/search`, { params: { q: query } })).json();
      assert.equal(hits.length, 3);
      for (const { id } of hits) {
        const { state } = await (await request.get(`${tab.home}/api/v1/messages/${id}/evidence`)).json();
        assert.equal(state, 'stamped');
      }
    }, 150_000);
    await tab.visit(`/?q=${encodeURIComponent(query)}`);
    await page.locator('[role=option]').first().waitFor();
  });
  after(async () => {
    await tab?.context.close();
    await rm(dir, { recursive: true, force: true });
  });

  // save downloads what a link gives, and unpacks it beside.
  const save = async (link, name) => {
    const [download] = await Promise.all([page.waitForEvent('download'), link.click()]);
    assert.match(download.suggestedFilename(), /\.proof\.zip$/);
    const file = join(dir, `${name}.zip`);
    await copyFile(await download.path(), file);
    const to = join(dir, name);
    await mkdir(to);
    assert.equal((await run('unzip', ['-q', file, '-d', to])).code, 0);
    return { file, to };
  };
  const verify = (...args) => run(verifier, args, dir);
  const anchorsIn = async (to) => join(to, (await readdir(to, { recursive: true })).find((name) => /anchors.*\.pem$/.test(name)));

  // change flips a bit in the middle of a file.
  const change = async (file) => {
    const handle = await open(file, 'r+');
    const at = Math.floor((await handle.stat()).size / 2);
    const byte = Buffer.alloc(1);
    await handle.read(byte, 0, 1, at);
    byte[0] ^= 1;
    await handle.write(byte, 0, 1, at);
    await handle.close();
  };

  it('hands out the proof of one message, which anybody can verify', async () => {
    await page.locator('[role=option]').first().click();
    const seal = page.getByTestId('seal');
    await seal.getByRole('button', { name: 'Details' }).click();
    const { file, to } = await save(seal.getByRole('link', { name: 'Download proof' }), 'one');
    const anchors = await anchorsIn(to);
    for (const bundle of [file, to]) {
      const { code, said } = await verify('--anchors', anchors, bundle);
      assert.equal(code, 0, said);
    }
    assert.equal((await verify(to)).code, 2, 'nobody is trusted by himself');
  });

  it('tells commands of openssl that print what it says', async () => {
    for (const name of ['README.txt', 'LIESMICH.txt']) {
      const commands = commandsOf(await readFile(join(dir, 'one', name), 'utf8'));
      assert.ok(commands.length >= 10, `${name}: ${commands.length} commands`);
      for (const { text, prints } of commands) {
        const { code, said } = await run('bash', ['-c', text], join(dir, 'one'));
        assert.equal(code, 0, `${text}\n${said}`);
        assert.ok(said.includes(prints), `${text}\nprints ${said}\nand not ${prints}`);
      }
    }
  });

  it('shows a report for people', async () => {
    for (const [name, picture] of [['inspection-report', 'inspection-report'], ['Pruefbericht', 'inspection-report-german']]) {
      const reader = await openPage(world.browser, world.server, { viewport: { width: 900, height: 1100 } });
      const report = reader.page;
      const address = pathToFileURL(join(dir, 'one', `${name}.html`)).href;
      await report.goto(address);
      await report.locator('h1').waitFor();
      await assertAccessible(report, name);
      await screenshot(report, picture);
      assert.deepEqual(reader.record.requests, [address], 'the report asks for something');
      await reader.context.close();
      const to = await pictureFile(`${picture}-pdf`);
      const drawn = await run('pdftoppm', ['-png', '-r', '80', '-f', '1', '-l', '1', '-singlefile', join(dir, 'one', `${name}.pdf`), to.replace(/\.png$/, '')], dir);
      assert.equal(drawn.code, 0, drawn.said);
      assert.equal(drawn.said, '', 'complaints about the PDF');
    }
  });

  it('notices one changed bit', async () => {
    const anchors = await anchorsIn(join(dir, 'one'));
    await change(join(dir, 'one', 'original.eml'));
    const { code, said } = await verify('--anchors', anchors, join(dir, 'one'));
    assert.equal(code, 1, said);
  });

  it('lets messages be chosen one by one, with the mouse and the keyboard', async () => {
    await tab.visit(`/?q=${encodeURIComponent(query)}`);
    const rows = page.getByRole('listbox', { name: 'Results' }).getByRole('option');
    await rows.first().waitFor();
    const chosen = page.getByRole('group', { name: 'Chosen messages' });
    await rows.nth(0).hover();
    await rows.nth(0).locator('[aria-hidden]').first().click();
    await chosen.getByText('1 chosen').waitFor();
    assert.equal(await rows.nth(0).getAttribute('aria-checked'), 'true');
    assert.equal(new URL(page.url()).searchParams.get('id'), null, 'choosing opens nothing');
    await page.keyboard.press('j');
    await page.keyboard.press('j');
    await page.waitForFunction(() => document.querySelector('[role=option][aria-selected=true]')?.getAttribute('aria-posinset') === '2');
    await page.keyboard.press('x');
    await chosen.getByText('2 chosen').waitFor();
    await page.getByRole('listbox', { name: 'Results' }).focus();
    await page.keyboard.press('Space');
    await chosen.getByText('1 chosen').waitFor();
    await page.getByRole('checkbox', { name: 'Choose all that is shown' }).click();
    await chosen.getByText('3 chosen').waitFor();
    await assertAccessible(page, 'chosen messages');
    await screenshot(page, 'chosen');
    await page.getByRole('checkbox', { name: 'Choose all that is shown' }).click();
    await chosen.getByText('3 chosen').waitFor({ state: 'detached' });
  });

  it('hands out the proof of what was chosen', async () => {
    const rows = page.getByRole('listbox', { name: 'Results' }).getByRole('option');
    for (const n of [0, 2]) {
      await rows.nth(n).hover();
      await rows.nth(n).locator('[aria-hidden]').first().click();
    }
    const chosen = page.getByRole('group', { name: 'Chosen messages' });
    await chosen.getByText('2 chosen').waitFor();
    const { file, to } = await save(chosen.getByRole('link', { name: 'Proof bundle' }), 'chosen');
    const anchors = await anchorsIn(to);
    for (const bundle of [file, to]) {
      const { code, said } = await verify('--anchors', anchors, bundle);
      assert.equal(code, 0, said);
    }
    const all = await readdir(to, { recursive: true });
    const originals = all.filter((name) => name.endsWith('original.eml'));
    assert.equal(originals.length, 2);
    await change(join(to, originals[1]));
    const { code, said } = await verify('--anchors', anchors, to);
    assert.equal(code, 1, said);
    assert.ok(said.includes(dirname(originals[1]).split('/').at(-1)), `the changed one is not named: ${said}`);
    await chosen.getByRole('button', { name: 'Clear' }).click();
    await chosen.getByText('2 chosen').waitFor({ state: 'detached' });
    assertOnlyHome(tab);
    assert.deepEqual(tab.record.errors, []);
  });

  it('is as good on a phone, in German', async () => {
    const phone = await openPage(world.browser, world.server, { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true, locale: 'de-DE', colorScheme: 'dark' });
    await logIn(phone, world.admin);
    await phone.visit(`/?q=${encodeURIComponent(query)}`);
    const rows = phone.page.getByRole('listbox', { name: 'Ergebnisse' }).getByRole('option');
    await rows.nth(1).locator('[aria-hidden]').first().tap();
    await phone.page.getByRole('group', { name: 'Ausgewählte Nachrichten' }).getByRole('link', { name: 'Beweispaket' }).waitFor();
    assert.ok(await phone.page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), 'wider than the phone');
    await assertAccessible(phone.page, 'chosen messages on a phone');
    await screenshot(phone.page, 'chosen-phone');
    await phone.context.close();
  });
}

// commandsOf are the commands of the instructions, with what they say that each prints.
function commandsOf(text) {
  const lines = text.split('\n');
  const commands = [];
  for (let i = 0; i < lines.length; i++) {
    if (!/^ {3}(?:openssl|printf|\(printf) /.test(lines[i])) {
      continue;
    }
    let command = lines[i];
    while (command.endsWith('\\')) {
      command += `\n${lines[++i]}`;
    }
    const next = lines[i + 1] ?? '';
    commands.push({ text: command, prints: next.startsWith('      ') ? next.trim() : '' });
  }
  return commands;
}
