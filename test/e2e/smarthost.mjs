import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { it } from 'node:test';
import { promisify } from 'node:util';

import { assertAccessible, assertOnlyHome, logIn, openPage, screenshot } from './browser.mjs';

const run = promisify(execFile);
const root = new URL('../../', import.meta.url).pathname;
const operator = { login: 'olga', password: 'kastanie-am-fluss-17' };

// makeOperator makes one on the command line, beside the running server.
export async function makeOperator(world) {
  if (world.operator) {
    return;
  }
  const file = join(world.server.data, 'spool', 'e2e-password');
  await writeFile(file, `${operator.password}\n`, { mode: 0o600 });
  await run(process.env.MUNIMENT_BINARY ?? join(root, 'bin', 'muniment'), ['--data', world.server.data, 'operator', 'create', operator.login, '--password-file', file]);
  world.operator = operator;
}

// enterOperator logs in, and goes from the customers to sending mail.
export async function enterOperator({ page, visit }) {
  await visit('/login');
  await page.locator('input[name=login]').fill(operator.login);
  await page.locator('input[name=password]').fill(operator.password);
  await page.locator('form button[type=submit]').click();
  await page.waitForURL(/\/tenants$/);
  await page.locator('nav a[href="/smarthost"]').click(); // in every language
  await page.waitForURL(/\/smarthost$/);
}

export function smarthost(world) {
  it('shows sending mail to operators only', async () => {
    const tab = await openPage(world.browser, world.server);
    await logIn(tab, world.admin);
    assert.equal(await tab.page.getByRole('link', { name: 'Sending mail' }).count(), 0);
    await tab.visit('/smarthost');
    await tab.page.getByText('Only operators see this page.').waitFor();
    await tab.context.close();
  });

  it('sets a smarthost, explains what is wrong, and sends a test mail', async () => {
    await makeOperator(world);
    const tab = await openPage(world.browser, world.server);
    const { page } = tab;
    await enterOperator(tab);
    await page.getByText('Nothing is set: the archive cannot send mail.').waitFor();
    assert.equal(await page.getByRole('link', { name: 'Search' }).count(), 0);

    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByText('Enter the name of a mail server such as').waitFor();
    await page.waitForFunction(() => document.activeElement?.getAttribute('aria-invalid') === 'true');
    await assertAccessible(page, 'smarthost with mistakes');

    const [host, port] = world.server.smtp.split(':');
    await page.getByLabel('Server *').fill(host);
    await page.getByRole('switch', { name: /^Log in to the server/ }).click();
    await page.getByLabel('Sender\'s address *').fill('archive@firma.example');
    await page.getByRole('button', { name: 'Advanced' }).click();
    await page.getByRole('textbox', { name: 'Port' }).fill(port);
    await page.getByRole('button', { name: 'Test connection' }).click();
    await page.getByText('The server\'s certificate is not trusted.').waitFor();
    await page.getByText('If you know it, pin it').waitFor();
    await page.getByRole('button', { name: 'Pin this certificate' }).click();
    await page.getByLabel('Send a test mail to').fill('nobody@elsewhere.example');
    await page.getByRole('button', { name: 'Send test mail' }).click();
    await page.getByText('The server does not take mail for a recipient.').waitFor();
    await page.getByRole('button', { name: 'Details' }).click();
    await assertAccessible(page, 'smarthost with a problem');
    await screenshot(page, 'smarthost-problem');
    await page.getByLabel('Send a test mail to').fill(world.server.journal);
    await page.getByRole('button', { name: 'Send test mail' }).click();
    await page.getByText('The server has taken the test mail.').waitFor();
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByText('Saved.').waitFor();
    await page.getByLabel('Encryption').selectOption('none');
    await page.getByText('everybody on the way can read the password').waitFor();
    await tab.visit('/smarthost');
    assert.equal(await page.getByLabel('Server *').inputValue(), host);
    await screenshot(page, 'smarthost');
    assertOnlyHome(tab);
    await tab.context.close();
  });

  it('shows the queue, tries again and deletes, in German, on a phone, in the dark', async () => {
    await makeOperator(world);
    const tab = await openPage(world.browser, world.server, { viewport: { width: 390, height: 844 }, colorScheme: 'dark', locale: 'de-DE' });
    const { page } = tab;
    await enterOperator(tab);
    const at = (minutes) => new Date(Date.now() + minutes * 60_000).toISOString();
    const mail = (state, more) => ({
      id: state, kind: 'alert', sender: 'archive@firma.example', recipients: [{ address: `${state}@kunde.example`, state }], size: 2345, state, attempts: 3, created_at: at(-60), ...more,
    });
    const mails = [
      mail('waiting', { next_at: at(15), tried_at: at(-1), problem: { code: 'unavailable', text: 'later', detail: '450 4.2.0 greylisted' } }),
      mail('failed', { ended_at: at(-5), problem: { code: 'recipient', text: 'no', detail: '550 5.1.1 no such person' } }),
      mail('sent', { ended_at: at(-50) }),
    ];
    await page.route('**/api/v1/outbox', (route) => route.fulfill({ json: { waiting: 1, sent: 1, failed: 1, mails } }));
    const done = [];
    await page.route('**/api/v1/outbox/**', (route) => {
      done.push(`${route.request().method()} ${new URL(route.request().url()).pathname}`);
      return route.fulfill({ status: 204 });
    });
    await tab.visit('/smarthost');
    await page.getByText('Der Server nimmt die E-Mail zurzeit nicht an.').waitFor();
    await page.getByText('Der Server nimmt für einen Empfänger keine E-Mails an.').waitFor();
    await assertAccessible(page, 'queue');
    await page.getByRole('heading', { name: 'Ausgehende E-Mails' }).scrollIntoViewIfNeeded();
    await screenshot(page, 'smarthost-queue');
    await page.getByRole('button', { name: 'Erneut versuchen, an failed@kunde.example zu senden' }).click();
    await page.getByRole('button', { name: 'E-Mail an waiting@kunde.example löschen' }).click();
    await page.getByText('Sie wird nicht mehr an waiting@kunde.example gesendet.').waitFor();
    await page.getByRole('dialog').getByRole('button', { name: 'Löschen' }).click();
    await page.getByRole('dialog').waitFor({ state: 'hidden' });
    assert.deepEqual(done, ['POST /api/v1/outbox/failed/retry', 'DELETE /api/v1/outbox/waiting']);
    await tab.context.close();
  });
}
