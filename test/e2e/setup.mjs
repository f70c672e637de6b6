import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it } from 'node:test';
import { promisify } from 'node:util';

import { assertAccessible, assertOnlyHome, openPage, screenshot } from './browser.mjs';

const run = promisify(execFile);
const root = new URL('../../', import.meta.url).pathname;

// firstStart runs an archive that nobody has set up: { url, code, data, stop }.
export async function firstStart() {
  const data = await mkdtemp(join(tmpdir(), 'muniment-first-'));
  const child = spawn(process.env.MUNIMENT_BINARY ?? join(root, 'bin', 'muniment'),
    ['--data', data, '--set', 'http.listen=127.0.0.1:0', '--set', 'smtp.listen=127.0.0.1:0', 'serve'], { stdio: ['ignore', 'pipe', 'ignore'] });
  const ended = new Promise((resolve) => child.on('close', resolve));
  let out = '';
  const told = new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`no address: ${out}`)), 60_000);
    child.stdout.on('data', (chunk) => {
      out += chunk;
      const found = /(http:\S+\/)setup#(\S+)/u.exec(out);
      if (found) {
        clearTimeout(timer);
        resolve({ url: found[1], code: found[2] });
      }
    });
    ended.then(() => reject(new Error(`it ended: ${out}`)));
  });
  const stop = async () => {
    child.kill('SIGTERM');
    await ended;
    await rm(data, { recursive: true, force: true });
  };
  try {
    return { ...(await told), data, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

export function setup(world) {
  it('leads through the first start, and takes a certificate at once', async () => {
    const first = await firstStart();
    try {
      const tab = await openPage(world.browser, first, { ignoreHTTPSErrors: true });
      const { page } = tab;
      await tab.visit('/');
      await page.waitForURL(/\/setup/u);
      await page.getByLabel('Code').fill('AAAA-AAAA-AAAA-AAAA');
      await page.getByLabel('User name').fill('olga');
      await page.getByLabel('Password', { exact: true }).fill('kastanie-am-fluss-17');
      await page.getByRole('button', { name: 'Create operator' }).click();
      await page.getByText('This is not the code that the server has printed').waitFor();
      await assertAccessible(page, 'first start');

      await page.goto('about:blank');
      await page.goto(`${first.url}setup#${first.code}`);
      await page.getByLabel('User name').fill('olga');
      await page.getByLabel('Password', { exact: true }).fill('kastanie-am-fluss-17');
      await screenshot(page, 'first-start');
      await page.getByRole('button', { name: 'Create operator' }).click();
      await page.getByRole('heading', { name: 'Sending mail' }).waitFor();
      assert.equal(new URL(page.url()).hash, '');
      await assertAccessible(page, 'first start, mail');
      const tops = await page.locator('.mantine-Stepper-step').evaluateAll((all) => new Set(all.map((s) => Math.round(s.getBoundingClientRect().top))).size);
      assert.equal(tops, 1, 'the steps stand in one line');
      await page.getByRole('textbox', { name: 'Server' }).fill('mail.firma.example'); // many take "continue" for "save"
      await page.getByRole('button', { name: 'Continue' }).click();
      await page.getByText('What you have entered here is not saved yet').waitFor();
      assert.equal(await page.getByRole('textbox', { name: 'Server' }).inputValue(), 'mail.firma.example');
      await page.getByRole('button', { name: 'Go on without saving' }).click();
      await page.getByRole('heading', { name: 'Time stamps', exact: true }).waitFor();
      await page.getByText('nobody else can check since when it is there').waitFor();
      await assertAccessible(page, 'first start, time stamps');
      await screenshot(page, 'first-start-stamps');
      await page.getByRole('button', { name: 'Continue without time stamps' }).click();
      await page.getByRole('heading', { name: 'Backup', exact: true }).waitFor();
      await page.getByText('muniment backup report').waitFor();
      await assertAccessible(page, 'first start, backup');
      await page.getByRole('button', { name: 'Continue' }).click();

      const pair = ['-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '30', '-subj', '/CN=archive.firma.example', '-addext', 'subjectAltName=DNS:archive.firma.example'];
      await run('openssl', ['req', ...pair, '-keyout', join(first.data, 'site.key'), '-out', join(first.data, 'site.pem')]);
      await page.getByLabel('Own certificate').check();
      await page.getByLabel('Host name').fill('archive.other.example');
      await page.getByRole('textbox', { name: 'Certificate', exact: true }).fill(await readFile(join(first.data, 'site.pem'), 'utf8'));
      await page.getByRole('textbox', { name: 'Key', exact: true }).fill(await readFile(join(first.data, 'site.key'), 'utf8'));
      await page.getByRole('button', { name: 'Save' }).click();
      await page.getByText('This is no certificate that fits').waitFor();
      await assertAccessible(page, 'first start, certificate');
      await page.getByLabel('Host name').fill('archive.firma.example');
      await page.getByRole('button', { name: 'Save' }).click();
      await page.getByText('Certificate for archive.firma.example').waitFor();
      await screenshot(page, 'site');
      await page.getByRole('button', { name: 'Continue' }).click();
      await page.getByRole('heading', { name: 'Ready' }).waitFor();
      assertOnlyHome(tab);

      await page.goto(first.url.replace('http:', 'https:')); // the same port, now by TLS
      await page.getByLabel('User name or mail address').fill('olga');
      await page.getByLabel('Password', { exact: true }).fill('kastanie-am-fluss-17');
      await page.locator('form button[type=submit]').click();
      await page.getByRole('link', { name: 'Address and certificate' }).click();
      await page.getByText('Certificate for archive.firma.example').waitFor();
      await assertAccessible(page, 'address and certificate');
      await tab.context.close();
    } finally {
      await first.stop();
    }
  });
}
