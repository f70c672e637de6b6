import assert from 'node:assert/strict';
import { chmod, open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, it } from 'node:test';

import { assertAccessible, assertOnlyHome, logIn, openPage } from './browser.mjs';
import { startServer } from './server.mjs';

// flipSegments changes one byte in the middle of everything that is stored.
async function flipSegments(data) {
  const names = (await readdir(join(data, 'blobs'), { recursive: true })).filter((name) => name.endsWith('.seg'));
  assert.ok(names.length > 0, 'no segments found');
  for (const name of names) {
    const path = join(data, 'blobs', name);
    await chmod(path, 0o600);
    const file = await open(path, 'r+');
    const { size } = await file.stat();
    const byte = Buffer.alloc(1);
    for (let at = Math.floor(size / 8); at < size; at += Math.ceil(size / 64)) { // hits every message
      await file.read(byte, 0, 1, at);
      await file.write(Buffer.from([byte[0] ^ 0x40]), 0, 1, at);
    }
    await file.close();
  }
}

export function damage(world) {
  let server;
  before(async () => {
    server = await startServer(); // of its own: its archive does not survive this
  });
  after(async () => {
    await server?.stop();
  });

  it('is shown in red, with what an administrator has to know', async () => {
    const tab = await openPage(world.browser, server);
    const { page } = tab;
    await logIn(tab, server.logins[0]);
    await page.locator('[role=option][id^=hit-]').first().click();
    const seal = page.getByTestId('integrity');
    await seal.getByText(/checked just now: intact/).waitFor();
    await flipSegments(server.data);
    await seal.getByRole('button', { name: 'Check again' }).click();
    const alarm = page.getByRole('alert').filter({ hasText: 'This message is damaged' });
    await alarm.waitFor();
    const id = new URL(page.url()).searchParams.get('id');
    assert.ok((await alarm.locator('code').innerText()).includes(id), 'the note names the message');
    await assertAccessible(page, 'damaged message');
    await page.reload();
    await alarm.waitFor();
    const answer = await tab.context.request.get(`${tab.home}/api/v1/messages/${id}/raw`).catch((error) => error);
    assert.ok(answer instanceof Error || !answer.ok(), 'damaged bytes were handed out as the original');
    assertOnlyHome(tab);
    assert.deepEqual(tab.record.errors, []);
    await tab.context.close();
  });
}
