// What the suites of one file share: the program, Chromium, and a server that must stay
// silent. Each file has a world of its own, so that two can run at the same time.
import { after, before } from 'node:test';

import { launch } from './browser.mjs';
import { startCanary } from './canary.mjs';
import { startServer } from './server.mjs';

// shareWorld returns what is filled before the first suite of the file runs.
export function shareWorld() {
  const world = {};
  before(async () => {
    world.canary = await startCanary();
    world.server = await startServer();
    world.browser = await launch();
    const { logins } = world.server;
    world.admin = logins.find((l) => l.role === 'tenant-admin');
    world.user = logins.find((l) => l.role === 'user');
  }, { timeout: 180_000 });
  after(async () => {
    await world.browser?.close();
    await world.server?.stop();
    await world.canary?.stop();
  });
  return world;
}
