// The other half of the browser test (see e2e.test.mjs): suites that go over all pages, and
// those that take long.
import { describe } from 'node:test';

import { appearance } from './appearance.mjs';
import { gallery } from './gallery.mjs';
import { upload } from './upload.mjs';
import { walk } from './walk.mjs';
import { shareWorld } from './world.mjs';

const world = shareWorld();

describe('upload', { timeout: 500_000 }, () => upload(world));
describe('appearance', { timeout: 500_000 }, () => appearance(world));
describe('gallery', { timeout: 300_000 }, () => gallery(world));
describe('walk', { timeout: 1_200_000 }, () => walk(world));
