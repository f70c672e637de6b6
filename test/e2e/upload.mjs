import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { it } from 'node:test';

import { assertAccessible, eventually, logIn, openPage, screenshot } from './browser.mjs';

const mail = (n, to) =>
  Buffer.from(`From: Quelle <quelle@firma.example>\r\nTo: ${to}\r\nSubject: Pappelbrief ${n}\r\nMessage-ID: <pappel${n}@firma.example>\r\nDate: Mon, 2 Mar 2026 10:00:00 +0100\r\n\r\nText ${n}\r\n`);

// drop lets files fall on the page, as from a file manager.
async function drop(page, files) {
  const transfer = await page.evaluateHandle((list) => {
    const data = new DataTransfer();
    for (const { name, text } of list) {
      const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
      data.items.add(new File([bytes], name, { lastModified: 1_700_000_000_000 }));
    }
    return data;
  }, files.map(({ name, buffer }) => ({ name, text: buffer.toString('base64') })));
  await page.getByText('Drop files here').locator('..').dispatchEvent('drop', { dataTransfer: transfer });
}

export function upload(world) {
  it('archives 20 files although the connection breaks and the page is loaded anew', async () => {
    const tab = await openPage(world.browser, world.server);
    const { page } = tab;
    await logIn(tab, world.user);
    await page.getByRole('link', { name: 'Upload' }).click();
    await page.getByRole('heading', { level: 1, name: 'Upload' }).waitFor();
    await assertAccessible(page, 'upload');
    const files = Array.from({ length: 20 }, (_, i) => ({ name: `scan-${String(i).padStart(2, '0')}.bin`, buffer: randomBytes(i < 2 ? 5 << 20 : 1000 + i) }));
    files[19].buffer = files[18].buffer; // the same file twice, under two names
    await drop(page, files);
    await page.getByLabel('Category of all').fill('Pappelscans');
    await page.getByLabel('Title of scan-03.bin').fill('Pappelvertrag');
    await page.getByLabel('Date of scan-03.bin').fill('2001-02-03');
    await screenshot(page, 'upload-chosen');
    // The connection ends after some pieces, and with it everything.
    let pieces = 0;
    let cut = false;
    await page.route('**/api/v1/uploads/**', (route) => {
      if (route.request().method() === 'PUT') pieces += 1;
      cut ||= pieces > 4;
      return cut ? route.abort('connectionreset') : route.continue();
    });
    await page.getByRole('button', { name: 'Archive 20 files' }).click();
    await page.getByText('no connection, goes on by itself').first().waitFor();
    await screenshot(page, 'upload-offline');
    await page.unroute('**/api/v1/uploads/**');
    await page.reload();
    await page.getByText('Some files were broken off.').waitFor();
    const before = (await (await tab.context.request.get(`${tab.home}/api/v1/uploads`)).json()).uploads;
    assert.ok(before.some((u) => u.state === 'open'), 'nothing was broken off');
    const resumed = [];
    page.on('request', (r) => r.method() === 'PUT' && resumed.push(r.url()));
    await drop(page, files.filter((f) => !before.some((u) => u.name === f.name && u.state !== 'open')));
    await page.getByLabel('Category of all').fill('Pappelscans');
    if (await page.getByLabel('Title of scan-03.bin').count()) { // what was only typed is gone with the page
      await page.getByLabel('Title of scan-03.bin').fill('Pappelvertrag');
      await page.getByLabel('Date of scan-03.bin').fill('2001-02-03');
    }
    await page.getByRole('button', { name: /^Archive/ }).click();
    await eventually(async () => {
      const { uploads } = await (await tab.context.request.get(`${tab.home}/api/v1/uploads`)).json();
      assert.equal(uploads.filter((u) => u.state === 'done').length, 20);
      const sum = (of) => uploads.reduce((n, u) => n + u.result[of], 0);
      assert.deepEqual([sum('stored'), sum('duplicate'), sum('failed')], [19, 1, 0]);
    }, 60_000);
    const summary = await page.getByTestId('upload-summary').innerText();
    assert.match(summary, /0 failed/);
    for (const u of before.filter((b) => b.state === 'open' && b.received > 0)) {
      assert.ok(!resumed.some((url) => url.includes(u.id) && url.endsWith('offset=0')), `${u.name} was sent again from the start`);
    }
    await screenshot(page, 'upload-done');
    await assertAccessible(page, 'upload, finished');
    // Found, opened and the same byte for byte.
    for (const { name, buffer } of [files[0], files[7]]) {
      await eventually(async () => {
        const found = await (await tab.context.request.get(`${tab.home}/api/v1/search?q=${encodeURIComponent(`filename:"${name}" is:document category:Pappelscans`)}`)).json();
        assert.equal(found.hits.length, 1);
        const raw = await (await tab.context.request.get(`${tab.home}/api/v1/messages/${found.hits[0].id}/raw`)).body();
        assert.equal(createHash('sha256').update(raw).digest('hex'), createHash('sha256').update(buffer).digest('hex'));
      });
    }
    await tab.visit('/?q=pappelvertrag+ist%3Adokument');
    await page.locator('[role=option][id^=hit-]').first().click();
    await page.getByRole('article').getByText('scan-03.bin').first().waitFor();
    await page.getByRole('article').getByText(/^Seen by/).waitFor();
    await screenshot(page, 'document');
    await assertAccessible(page, 'document');
    assert.deepEqual(tab.record.errors, []);
    // Nobody else sees them.
    const other = await openPage(world.browser, world.server);
    await logIn(other, world.admin);
    const found = await (await other.context.request.get(`${other.home}/api/v1/search?q=pappelvertrag`)).json();
    assert.equal(found.total, 0);
    await other.context.close();
    await tab.context.close();
  });

  it('imports mail for an administrator, with a report', async () => {
    const tab = await openPage(world.browser, world.server);
    const { page } = tab;
    await logIn(tab, world.admin);
    const { addresses } = await (await tab.context.request.get(`${tab.home}/api/v1/session`)).json();
    await page.getByRole('link', { name: 'Upload' }).click();
    await page.getByText('Mail', { exact: true }).click();
    const letter = mail(1, addresses[0]);
    await drop(page, [{ name: 'brief.eml', buffer: letter }, { name: 'bild.png', buffer: Buffer.from('\x89PNG\r\n') }]);
    await page.getByRole('button', { name: 'Archive 2 files' }).click();
    await page.getByText('2 of 2 files finished · 1 archived · 0 there already · 1 left out · 0 failed').waitFor();
    const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('link', { name: 'Report (CSV)' }).first().click()]);
    assert.match(await readFile(await download.path(), 'utf8'), /brief\.eml.*stored/);
    await screenshot(page, 'upload-mail');
    await eventually(async () => {
      const found = await (await tab.context.request.get(`${tab.home}/api/v1/search?q=pappelbrief`)).json();
      assert.equal(found.total, 1);
      assert.ok(letter.equals(await (await tab.context.request.get(`${tab.home}/api/v1/messages/${found.hits[0].id}/raw`)).body()));
    });
    await page.getByRole('link', { name: 'Show' }).click();
    await page.getByRole('article').getByText('Pappelbrief 1').first().waitFor();
    // A user is not offered to import mail.
    const user = await openPage(world.browser, world.server);
    await logIn(user, world.user);
    await user.visit('/upload');
    await user.page.getByText('Drop files here').waitFor();
    assert.equal(await user.page.getByText('Mail', { exact: true }).count(), 0);
    await user.context.close();
    assert.deepEqual(tab.record.errors, []);
    await tab.context.close();
  });

  it('adds a watched folder, and says that none are watched here', async () => {
    const tab = await openPage(world.browser, world.server);
    const { page } = tab;
    await logIn(tab, world.admin);
    await tab.visit('/sources/new?kind=folder');
    await page.getByLabel('Name *').fill('Scanner');
    await page.getByLabel('Directory').fill('../andere');
    await page.getByRole('combobox', { name: 'Seen by' }).fill('anna@firma.example');
    await page.keyboard.press('Enter');
    await page.getByRole('button', { name: 'Add', exact: true }).click();
    await page.getByText('A path such as invoices/2026').waitFor();
    await assertAccessible(page, 'watched folder');
    await page.getByLabel('Directory').fill('scans');
    await screenshot(page, 'folder');
    await page.getByRole('button', { name: 'Add', exact: true }).click();
    await page.waitForURL(/\/sources$/);
    await page.getByText('Scanner').first().waitFor();
    await eventually(async () => {
      await page.reload();
      await page.getByText('Folders are not watched here').first().waitFor({ timeout: 2000 });
    }, 20_000);
    await screenshot(page, 'sources-folder');
    assert.deepEqual(tab.record.errors, []);
    await tab.context.close();
  });

  it('uploads on a phone, in German and in the dark', async () => {
    const tab = await openPage(world.browser, world.server, { locale: 'de-DE', viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true, colorScheme: 'dark' });
    const { page } = tab;
    await logIn(tab, world.user);
    await tab.visit('/upload');
    await page.getByRole('heading', { level: 1, name: 'Hochladen' }).waitFor();
    await page.locator('input[type=file]').setInputFiles({ name: 'notiz.txt', mimeType: 'text/plain', buffer: Buffer.from('Pappelnotiz mit Umlaut: ä') });
    await page.getByRole('button', { name: 'Eine Datei archivieren' }).click();
    await page.getByText(/1 von 1 Dateien fertig/).waitFor();
    const [wanted, given] = await page.evaluate(() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]);
    assert.ok(wanted <= given, `the page is ${wanted} wide, the screen ${given}`);
    await screenshot(page, 'upload-phone');
    await assertAccessible(page, 'upload on a phone');
    await page.getByRole('link', { name: 'Öffnen' }).first().click();
    await page.frameLocator('iframe').getByText('Pappelnotiz mit Umlaut: ä').waitFor();
    await screenshot(page, 'document-phone');
    assert.deepEqual(tab.record.errors, []);
    await tab.context.close();
    // Administrators have more links in the same room.
    const admin = await openPage(world.browser, world.server, { locale: 'de-DE', viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true });
    await logIn(admin, world.admin);
    for (const path of ['/upload', '/sources/new?kind=folder']) {
      await admin.visit(path);
      await admin.page.getByRole('heading', { level: 1 }).waitFor();
      const [asked, room] = await admin.page.evaluate(() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]);
      assert.ok(asked <= room, `${path} is ${asked} wide, the screen ${room}`);
    }
    await admin.context.close();
  });
}
