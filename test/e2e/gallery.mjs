import { it } from 'node:test';

import { logIn, openPage, screenshot } from './browser.mjs';

// gallery makes the pictures of the README from the demonstration's own mail.
export function gallery(world) {
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
    await field.pressSequentially('from:a');
    await page.locator('[role=listbox][aria-busy=false]').getByRole('option').first().waitFor();
  });
  picture('message', {}, (tab) => read(tab, ''));
  picture('dark', { colorScheme: 'dark', locale: 'de-DE' }, (tab) => read(tab, ''));
  picture('phone', { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true, deviceScaleFactor: 2 }, ({ page }) => hits(page).first().waitFor());
}
