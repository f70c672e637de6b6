// Chromium with what the tests need: a record of every request, accessibility
// checks and screenshots.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

// The packages live beside the web interface, so that one installation suffices.
const require = createRequire(new URL('../../web/package.json', import.meta.url));
const { chromium } = require('playwright-core');
const { AxeBuilder } = require('@axe-core/playwright');

const args = [
  '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync',
];

// The one without a window of its own takes a third less time than the whole browser.
const browsers = ['/usr/bin/chromium-headless-shell', '/usr/bin/chromium'];

export function launch() {
  return chromium.launch({ executablePath: process.env.MUNIMENT_CHROMIUM ?? browsers.find(existsSync) ?? browsers[0], headless: true, args });
}

// pictures are what the README shows; they replace those of the repository only on
// demand. All others are for people who look into a failure.
const pictures = ['login', 'search', 'message', 'phone', 'dark', 'admin', 'sources', 'completeness', 'journal-record',
  'upload-done', 'document', 'quarantine', 'selection', 'mailbox-log-in', 'smarthost', 'first-start', 'first-start-stamps', 'site',
  'overview-operator', 'inspection-report', 'inspection-report-pdf', 'chosen'];
const repository = new URL('../../docs/screenshots/', import.meta.url).pathname;
let temporary;

// pictureFile is where a picture belongs.
export async function pictureFile(name) {
  const wanted = process.env.MUNIMENT_SCREENSHOTS && pictures.includes(name);
  temporary ??= mkdtemp(join(tmpdir(), 'muniment-screenshots-'));
  const dir = wanted ? repository : await temporary;
  await mkdir(dir, { recursive: true });
  return join(dir, `${name}.png`);
}

export async function screenshot(page, name) {
  await page.screenshot({ path: await pictureFile(name), animations: 'disabled', caret: 'hide' });
}

// openPage opens a page that keeps account of what it does:
// requests, errors (uncaught, and violations of the content security policy).
export async function openPage(browser, server, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1360, height: 850 }, locale: 'en-GB', colorScheme: 'light', reducedMotion: 'reduce', acceptDownloads: true, ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(30_000);
  const record = { requests: [], errors: [] };
  context.on('request', (request) => record.requests.push(request.url()));
  page.on('pageerror', (error) => record.errors.push(String(error.stack)));
  page.on('console', (message) => {
    if (message.type() === 'error' && /Content Security Policy|Uncaught|React/i.test(message.text())) {
      record.errors.push(`${message.text()} (${message.location().url})`);
    }
  });
  const home = new URL(server.url).origin;
  const visit = (path = '/') => page.goto(home + path);
  return { context, page, record, visit, home };
}

// assertOnlyHome fails if a page asked for anything outside of the server.
export function assertOnlyHome({ record, home }) {
  const strange = record.requests.filter((url) => !url.startsWith(`${home}/`) && !/^(?:data|blob|about):/.test(url));
  assert.deepEqual(strange, [], 'requests that left the server');
}

export async function logIn({ page, visit }, login) {
  await visit('/login');
  await page.locator('input[name=login]').fill(login.login);
  await page.locator('input[name=password]').fill(login.password);
  await page.locator('form button[type=submit]').click();
  await page.getByRole('search').waitFor();
}

// assertAccessible fails on everything that axe calls serious or critical.
export async function assertAccessible(page, where) {
  const { violations } = await new AxeBuilder({ page }).setLegacyMode(true).exclude('iframe').analyze();
  const grave = violations.filter((v) => v.impact === 'serious' || v.impact === 'critical');
  const told = grave.map((v) => `${v.id}: ${v.help}\n${v.nodes.slice(0, 4).map((n) => `    ${n.target.join(' ')}  ${n.failureSummary?.replace(/\s+/g, ' ')}`).join('\n')}`);
  assert.deepEqual(told, [], `accessibility: ${where}`);
}

// eventually repeats a check until it holds; what is being waited for happens on
// the server.
export async function eventually(check, limit = 10_000) {
  const end = Date.now() + limit;
  for (;;) {
    try {
      return await check();
    } catch (error) {
      if (Date.now() > end) {
        throw error;
      }
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}
