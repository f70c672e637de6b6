// The walk: everybody, on every page, in both languages, on a desktop and on a phone,
// light and dark. Pictures of all pages go to MUNIMENT_REPORTS, or to a temporary folder.
//
// Each page is seen in both languages and at both widths: one half of the pages in
// German on a light desktop and in English on a dark phone, the other half the other way
// round. MUNIMENT_TEST_LONG shows every page in all four ways, which takes twice as long.
import assert from 'node:assert/strict';
import { mkdir, mkdtemp } from 'node:fs/promises';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, it } from 'node:test';

import { look, settled, watch } from './walklook.mjs';
import { keep, manualPictures, width } from './walkpictures.mjs';
import { manualPages, refusals, walkRoutes } from './walkroutes.mjs';
import { makeWorld } from './walkworld.mjs';

const require = createRequire(new URL('../../web/package.json', import.meta.url));
const { AxeBuilder } = require('@axe-core/playwright');

const desktop = { viewport: { width: 1360, height: 850 } };
const phone = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true };
const visits = [
  { name: 'de-desktop-light', language: 'de', ...desktop, colorScheme: 'light', half: 0 },
  { name: 'en-desktop-light', language: 'en', ...desktop, colorScheme: 'light', half: 1 },
  { name: 'de-phone-dark', language: 'de', ...phone, colorScheme: 'dark', half: 1 },
  { name: 'en-phone-dark', language: 'en', ...phone, colorScheme: 'dark', half: 0 },
];
const tallest = 6000; // pixels of a picture

const router = readFileSync(new URL('../../web/src/router.tsx', import.meta.url), 'utf8');
const routes = [...router.matchAll(/^ {2}path: '([^']+)'/gmu)].map((m) => m[1]);

// grave are the findings of axe that nobody may meet.
async function grave(page) {
  const { violations } = await new AxeBuilder({ page }).setLegacyMode(true).exclude('iframe').options({ resultTypes: ['violations'] }).analyze();
  return violations.filter((v) => v.impact === 'serious' || v.impact === 'critical')
    .map((v) => `axe ${v.id}: ${v.nodes.slice(0, 3).map((n) => `${n.target.join(' ')} ${n.failureSummary?.replace(/\s+/gu, ' ').slice(0, 200)}`).join('; ')}`);
}

// whole makes the window as high as what is in it, so that all of it is looked at.
async function whole(page, { width, height }) {
  const wanted = await page.evaluate(() => {
    const content = document.getElementById('content');
    return Math.max(document.documentElement.scrollHeight, content ? content.scrollHeight + content.getBoundingClientRect().top : 0);
  });
  await page.setViewportSize({ width, height: Math.min(Math.max(height, Math.ceil(wanted)), tallest) });
}

async function enter(context, home, person) {
  const answer = await context.request.post(`${home}/api/v1/session`, { data: person });
  assert.ok(answer.ok(), `${person.login}: ${answer.status()} ${await answer.text()}`);
}

const fill = (path, ids) => path.replace(/\{(\w+)\}/gu, (_, name) => ids[name]);
const fileName = (path) => path.replace(/^\//u, '').replace(/[^a-z0-9]+/giu, '-').replace(/-+$/u, '') || 'search';

export function walk(world) {
  let installation;
  let folder;
  const nav = {}; // role → addresses that its navigation leads to

  before(async () => {
    const base = process.env.MUNIMENT_REPORTS;
    folder = base ? join(base, 'walk') : await mkdtemp(join(tmpdir(), 'muniment-walk-'));
    await mkdir(folder, { recursive: true });
    installation = await makeWorld();
  }, { timeout: 150_000 });
  after(() => installation?.stop());

  it('knows every page of the router', () => {
    assert.ok(routes.length > 30);
    assert.deepEqual(Object.keys(walkRoutes).sort(), [...routes].sort(), 'walkroutes.mjs and router.tsx differ');
  });

  // pass looks at pages one after the other, and returns what is wrong, by page.
  async function pass(visit, role, home, paths, person) {
    const { name, language, half, ...options } = visit;
    const context = await world.browser.newContext({ ...options, locale: language === 'de' ? 'de-DE' : 'en-GB', reducedMotion: 'reduce', timezoneId: 'Europe/Berlin' });
    try {
      if (person) {
        await enter(context, home, person);
      }
      const page = await context.newPage();
      page.setDefaultTimeout(20_000);
      const state = watch(page);
      const wrong = [];
      for (const path of paths.filter((_, n) => process.env.MUNIMENT_TEST_LONG || n % 2 === half)) {
        state.wrong.length = 0;
        await page.setViewportSize(options.viewport);
        await page.goto('about:blank');
        await page.goto(home + fill(path, installation.ids));
        await settled(page, state);
        const found = await look(page, language);
        for (const to of person ? await page.locator('header nav a, nav a').evaluateAll((links) => links.map((l) => l.getAttribute('href'))) : []) {
          (nav[role] ??= new Set()).add(to);
        }
        await whole(page, options.viewport);
        found.push(...await grave(page));
        await page.screenshot({ path: join(folder, `${role}--${fileName(path)}--${name}.png`), animations: 'disabled', caret: 'hide' });
        // Where nobody is logged in, the page asks who it is.
        found.push(...state.wrong.filter((w) => (person || !/\/api\/v1\/session: 401$/u.test(w)) && !w.endsWith(`: ${refusals[path]}`)));
        wrong.push(...found.map((f) => `${role} ${path} ${name}: ${f}`));
      }
      return wrong;
    } finally {
      await context.close();
    }
  }

  const pathsOf = (role) => [...new Set(Object.values(walkRoutes).flatMap((by) => by[role] ?? []))];
  for (const role of ['nobody', 'newcomer', 'user', 'auditor', 'dpo', 'tenant-admin', 'reseller', 'operator']) {
    it(`leads ${role} through every page`, async () => {
      const person = installation.people[role];
      const home = role === 'newcomer' ? new URL(installation.first.url).origin : installation.home;
      const wrong = (await Promise.all(visits.map((visit) => pass(visit, role, home, pathsOf(role), person)))).flat();
      assert.deepEqual(wrong, []);
      const missed = [...nav[role] ?? []].filter((to) => !pathsOf(role).includes(to.replace(/\?.*$/u, '')));
      assert.deepEqual(missed, [], `the navigation of ${role} leads to pages that nobody walks to`);
    });
  }

  it('leads to the manual, which is as good', async () => {
    const paths = (language) => manualPages.map((name) => `/manual/${language}/${name}`);
    const wrong = (await Promise.all(visits.map((visit) => pass(visit, 'manual', installation.home, paths(visit.language))))).flat();
    assert.deepEqual(wrong, []);
  });

  for (const language of ['de', 'en']) {
    it(`makes the pictures of the manual, ${language}`, async () => {
      for (const picture of manualPictures) {
        const home = picture.role === 'newcomer' ? new URL(installation.first.url).origin : installation.home;
        const context = await world.browser.newContext({ viewport: { width, height: picture.height }, locale: language === 'de' ? 'de-DE' : 'en-GB', colorScheme: 'light', reducedMotion: 'reduce', timezoneId: 'Europe/Berlin' });
        try {
          if (installation.people[picture.role]) {
            await enter(context, home, installation.people[picture.role]);
          }
          const page = await context.newPage();
          const state = watch(page);
          await page.goto(home + fill(picture.path, installation.ids));
          await settled(page, state);
          await picture.act?.(page);
          await settled(page, state);
          await keep(page, picture, language, folder);
        } finally {
          await context.close();
        }
      }
    });
  }
}
