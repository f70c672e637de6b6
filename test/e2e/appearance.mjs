import assert from 'node:assert/strict';
import { it } from 'node:test';

import { assertAccessible, assertOnlyHome, logIn, openPage, screenshot } from './browser.mjs';

const firstHit = (page) => page.locator('[role=option][id^=hit-]').first();

// assertFits fails if a page has to be scrolled sideways.
async function assertFits(page, where) {
  const [wanted, given] = await page.evaluate(() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]);
  assert.ok(wanted <= given, `${where} is ${wanted} wide, the screen ${given}`);
}

export function appearance(world) {
  for (const colorScheme of ['light', 'dark']) {
    it(`is accessible on every page, ${colorScheme}`, async () => {
      const tab = await openPage(world.browser, world.server, { colorScheme });
      const { page } = tab;
      await tab.visit('/login');
      await page.getByRole('button', { name: 'Log in', exact: true }).waitFor();
      await assertAccessible(page, 'log-in');
      await logIn(tab, world.admin);
      await page.getByRole('complementary').getByRole('checkbox').first().waitFor();
      await assertAccessible(page, 'search');
      await page.getByRole('combobox', { name: 'Search the archive' }).pressSequentially('f');
      await page.getByRole('listbox', { name: 'Suggestions' }).getByRole('option').first().waitFor();
      await assertAccessible(page, 'suggestions');
      await tab.visit('/?q=form%3Aanna');
      await page.getByRole('alert').waitFor();
      await assertAccessible(page, 'mistake');
      await tab.visit('/?q=zzqqxxyyzz');
      await page.getByRole('heading', { name: 'Nothing found' }).waitFor();
      await assertAccessible(page, 'nothing found');
      await tab.visit('/?q=from%3Aa*%20OR%20has%3Aattachment');
      await firstHit(page).click();
      await page.getByRole('article').waitFor();
      for (const view of await page.getByRole('tab').all()) {
        await view.click();
        await page.getByRole('tabpanel').waitFor();
        await assertAccessible(page, `message: ${await view.innerText()}`);
      }
      await page.getByRole('button', { name: 'Keyboard shortcuts' }).click();
      await page.getByRole('dialog').waitFor();
      await assertAccessible(page, 'help');
      for (const path of ['/account', '/overview', '/sources', '/sources/new', '/sources/new?kind=journal', '/completeness', '/completeness?period=own&by=source', '/nowhere']) {
        await tab.visit(path);
        await page.getByRole('heading', { level: 1 }).waitFor();
        await page.waitForLoadState('networkidle');
        await assertAccessible(page, path);
      }
      if (colorScheme === 'dark') {
        const ground = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
        assert.ok(Math.max(...ground.match(/\d+/g).slice(0, 3).map(Number)) < 60, `the ground is ${ground}`);
      }
      assertOnlyHome(tab);
      assert.deepEqual(tab.record.errors, []);
      await tab.context.close();
    });
  }

  it('keeps the chosen colour scheme, without a flash', async () => {
    const tab = await openPage(world.browser, world.server);
    const { page } = tab;
    await logIn(tab, world.user);
    await page.getByRole('button', { name: 'Appearance' }).click();
    await page.getByRole('menuitem', { name: 'Dark' }).click();
    await page.waitForFunction(() => document.documentElement.dataset.mantineColorScheme === 'dark');
    await page.route('**/assets/*.js', (route) => route.abort()); // only scheme.js runs
    await page.reload({ waitUntil: 'commit' });
    await page.waitForFunction(() => document.documentElement.dataset.mantineColorScheme === 'dark');
    await tab.context.close();
  });

  it('speaks the browser’s language, and the account’s everywhere', async () => {
    const german = await openPage(world.browser, world.server, { locale: 'de-DE' });
    await german.visit('/login');
    await german.page.getByRole('button', { name: 'Anmelden', exact: true }).waitFor();
    assert.equal(await german.page.evaluate(() => document.documentElement.lang), 'de');
    await logIn(german, world.user);
    await german.page.getByRole('button', { name: 'Angemeldet als' }).click();
    await german.page.getByRole('menuitem', { name: 'Mein Konto' }).click();
    await german.page.getByLabel('Sprache', { exact: true }).selectOption('en');
    await german.page.getByRole('heading', { name: 'My account' }).waitFor();
    await german.page.getByText('Saved', { exact: true }).waitFor();
    await german.context.close();

    const english = await openPage(world.browser, world.server);
    const { page } = english;
    await logIn(english, world.user);
    await english.visit('/account');
    await page.getByLabel('Language', { exact: true }).selectOption('de');
    await page.getByRole('heading', { name: 'Mein Konto' }).waitFor();
    await english.visit('/?q=form%3Aanna');
    const note = page.getByRole('alert');
    await note.getByText('Meinten Sie').waitFor();
    assert.doesNotMatch(await note.innerText(), /\b(?:unknown|there is|did you|operator named)\b/i, 'the server explains in English');
    await english.visit('/account');
    await page.getByLabel('Sprache', { exact: true }).selectOption('');
    await page.getByRole('heading', { name: 'My account' }).waitFor();
    await english.context.close();
  });

  it('comes back to the same place of a long list on a phone', async () => {
    const tab = await openPage(world.browser, world.server, { viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true });
    const { page } = tab;
    await logIn(tab, world.user); // who has the mail that the search tests have sent
    await firstHit(page).waitFor();
    const list = page.getByRole('listbox', { name: 'Results' });
    await list.evaluate((box) => box.scrollTo(0, 3000));
    const hit = list.locator('[aria-posinset="38"]');
    await hit.click();
    await page.getByRole('article').waitFor();
    await page.getByRole('button', { name: 'Back to the list' }).click();
    await hit.waitFor();
    const seen = await hit.evaluate((row) => {
      const box = row.getBoundingClientRect();
      return box.top >= 0 && box.bottom <= window.innerHeight;
    });
    assert.ok(seen, 'the message that was read is out of sight');
    await tab.context.close();
  });

  // Auditors have the most links, and German has the longest words for them.
  it('has room for the name and all links at every width', async () => {
    const tab = await openPage(world.browser, world.server, { locale: 'de-DE' });
    const { page } = tab;
    const { login, password } = world.server.logins.find((l) => l.role === 'auditor');
    await tab.context.request.post(`${tab.home}/api/v1/session`, { data: { login, password } });
    await tab.visit('/access');
    await page.getByRole('navigation', { name: 'Hauptnavigation' }).getByRole('link', { name: 'Beweiswerte' }).waitFor();
    for (let width = 360; width <= 1480; width += 40) {
      await page.setViewportSize({ width, height: 800 });
      await assertFits(page, 'header');
      const [home, nav] = await page.evaluate(() => ['header a', 'header nav'].map((what) => document.querySelector(what).getBoundingClientRect().toJSON()));
      assert.ok(nav.left >= Math.min(home.right, 60) && nav.right <= width, `at ${width} pixels the links are from ${nav.left} to ${nav.right}`);
      if (width > 700) {
        assert.ok(nav.left >= home.right, `at ${width} pixels the links begin at ${nav.left}, the name ends at ${home.right}`);
      }
    }
    await tab.context.close();
  });

  it('works on a phone of 360 pixels', async () => {
    const tab = await openPage(world.browser, world.server, { viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true, deviceScaleFactor: 2 });
    const { page } = tab;
    await tab.visit('/login');
    await page.getByRole('button', { name: world.admin.name }).waitFor();
    await assertFits(page, 'log-in');
    await page.getByRole('button', { name: world.admin.name }).click();
    await firstHit(page).waitFor();
    await assertFits(page, 'list');
    await assertAccessible(page, 'list on a phone');
    await page.getByRole('button', { name: 'Filters' }).click();
    const drawer = page.getByRole('dialog', { name: 'Filters' });
    await drawer.getByRole('checkbox').first().waitFor();
    await drawer.getByRole('button', { name: 'Close' }).click();
    await drawer.waitFor({ state: 'detached' });
    await firstHit(page).click();
    await page.getByRole('article').waitFor();
    assert.equal(await page.getByRole('listbox', { name: 'Results' }).isVisible(), false);
    await assertFits(page, 'message');
    await assertAccessible(page, 'message on a phone');
    await page.waitForFunction(() => document.activeElement?.getAttribute('aria-label') === 'Message');
    await page.getByRole('button', { name: 'Back to the list' }).click();
    await firstHit(page).waitFor();
    await page.waitForFunction(() => document.activeElement?.getAttribute('aria-label') === 'Results');
    for (const path of ['/account', '/overview', '/sources', '/sources/new', '/completeness']) {
      await tab.visit(path);
      await page.getByRole('heading', { level: 1 }).waitFor();
      await page.waitForLoadState('networkidle');
      await assertFits(page, path);
    }
    await tab.context.close();
  });
}
