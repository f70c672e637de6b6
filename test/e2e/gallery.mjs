import assert from 'node:assert/strict';
import { before, it } from 'node:test';

import { eventually, logIn, openPage, screenshot } from './browser.mjs';
import { everyday } from './mails.mjs';
import { send } from './smtp.mjs';

// gallery makes the pictures of the README from invented mail.
export function gallery(world) {
  before(async () => {
    const tab = await openPage(world.browser, world.server);
    await logIn(tab, world.admin);
    const { request } = tab.context;
    const account = await (await request.get(`${tab.home}/api/v1/session`)).json();
    const messages = everyday({ to: account.addresses[0] });
    await send({ address: world.server.smtp, from: 'post@partners.example', to: world.server.journal, messages });
    await eventually(async () => {
      const found = await (await request.get(`${tab.home}/api/v1/search`)).json();
      assert.ok(found.total >= messages.length);
    });
    await tab.context.close();
  });

  const picture = (name, options, show) =>
    it(`shows ${name}`, async () => {
      const tab = await openPage(world.browser, world.server, options);
      await logIn(tab, world.admin);
      await show(tab);
      await tab.page.waitForLoadState('networkidle');
      await screenshot(tab.page, name);
      await tab.context.close();
    });
  const hits = (page) => page.locator('[role=option][id^=hit-]');
  const read = async ({ page, visit }, query) => {
    await visit(`/?q=${encodeURIComponent(query)}`);
    await hits(page).first().click();
    await page.getByRole('article').waitFor();
  };

  picture('search', {}, async ({ page }) => {
    const field = page.getByRole('combobox', { name: 'Search the archive' });
    await hits(page).first().waitFor();
    await field.fill('Rechnung');
    await field.press('Enter');
    await page.waitForURL(/q=Rechnung/);
    await field.press('End');
    await field.pressSequentially(' from:r');
    await page.locator('[role=listbox][aria-busy=false]').getByRole('option').first().waitFor();
  });
  picture('message', {}, (tab) => read(tab, 'Rechnung'));
  picture('dark', { colorScheme: 'dark', locale: 'de-DE' }, (tab) => read(tab, ''));
  picture('phone', { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true, deviceScaleFactor: 2 }, ({ page }) => hits(page).first().waitFor());
}
