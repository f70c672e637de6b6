// The browser test: the real program, real SMTP and Chromium.
//
//	server.mjs        starts the demonstration        session.mjs      log-in, account, log-out
//	browser.mjs       Chromium and checks             users.mjs        users, import and export of lists
//	smtp.mjs          sends mail                      login.mjs        second factors, passkeys, links
//	mails.mjs         the mail that is sent           search.mjs       search page
//	canary.mjs        must never be asked             message.mjs      reading, safely
//	provider.mjs      log-ins elsewhere               sources.mjs      sources, completeness
//	mailboxlogin.mjs  log-ins to mailboxes by a code  setup.mjs        first start, certificate
//	directories.mjs   where users come from           smarthost.mjs    sending mail
//	hierarchy.mjs     customers, resellers, tokens    access.mjs       other people's mail
//	evidence.mjs      seals, proofs, authorities      upload.mjs       uploads, documents, folders
//	routing.mjs       domains, selection, quarantine  history.mjs      whole mailboxes
//	eventlog.mjs      the event log                   damage.mjs       flipped bytes
//	appearance.mjs    languages, phone, dark, axe     gallery.mjs      pictures for the README
//	webhooks.mjs      telling other programs          staff.mjs        operators, staff of resellers
//	domains.mjs       rules and proofs of domains     massexport.mjs   exports by two people
//	dns.mjs           a DNS server                    receiver.mjs     takes webhooks
//	dashboard.mjs     figures and alarms              proof.mjs        a newcomer verifies proofs
//	walk.mjs          everybody on every page: the pages (walkroutes.mjs), who is there
//	                  (walkworld.mjs), what is looked at (walklook.mjs), and the pictures
//	                  of the manual (walkpictures.mjs)
//
// Run it with `npm run e2e` in web/ after `make build`.
import { after, before, describe } from 'node:test';

import { access } from './access.mjs';
import { appearance } from './appearance.mjs';
import { launch } from './browser.mjs';
import { startCanary } from './canary.mjs';
import { damage } from './damage.mjs';
import { dashboard } from './dashboard.mjs';
import { directories } from './directories.mjs';
import { domains } from './domains.mjs';
import { eventLog } from './eventlog.mjs';
import { evidence } from './evidence.mjs';
import { gallery } from './gallery.mjs';
import { hierarchy } from './hierarchy.mjs';
import { history } from './history.mjs';
import { login } from './login.mjs';
import { mailboxLogIn } from './mailboxlogin.mjs';
import { massExport } from './massexport.mjs';
import { message } from './message.mjs';
import { proof } from './proof.mjs';
import { routing } from './routing.mjs';
import { search } from './search.mjs';
import { startServer } from './server.mjs';
import { session } from './session.mjs';
import { setup } from './setup.mjs';
import { smarthost } from './smarthost.mjs';
import { sources } from './sources.mjs';
import { staff } from './staff.mjs';
import { upload } from './upload.mjs';
import { users } from './users.mjs';
import { walk } from './walk.mjs';
import { webhooks } from './webhooks.mjs';

// world is what the tests share: it is filled before the first of them runs.
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

describe('session', { timeout: 120_000 }, () => session(world));
// Users come before all that make more of them.
describe('users', { timeout: 240_000 }, () => users(world));
describe('log-ins in steps', { timeout: 240_000 }, () => login(world));
describe('search', { timeout: 180_000 }, () => search(world));
describe('message', { timeout: 180_000 }, () => message(world));
describe('sources', { timeout: 180_000 }, () => sources(world));
describe('log-ins to mailboxes', { timeout: 180_000 }, () => mailboxLogIn(world));
describe('first start', { timeout: 180_000 }, () => setup(world));
describe('directories', { timeout: 180_000 }, () => directories(world));
describe('smarthost', { timeout: 180_000 }, () => smarthost(world));
describe('access', { timeout: 240_000 }, () => access(world));
describe('hierarchy', { timeout: 180_000 }, () => hierarchy(world));
describe('dashboard', { timeout: 240_000 }, () => dashboard(world));
describe('webhooks', { timeout: 120_000 }, () => webhooks(world));
describe('staff', { timeout: 120_000 }, () => staff(world));
describe('evidence', { timeout: 240_000 }, () => evidence(world));
describe('proof', { timeout: 300_000 }, () => proof(world));
describe('upload', { timeout: 240_000 }, () => upload(world));
describe('domains of customers', { timeout: 120_000 }, () => domains(world));
describe('routing', { timeout: 180_000 }, () => routing(world));
describe('history', { timeout: 120_000 }, () => history(world));
describe('event log', { timeout: 180_000 }, () => eventLog(world));
// It leaves many entries of messages in the log.
describe('mass export', { timeout: 120_000 }, () => massExport(world));
describe('damage', { timeout: 120_000 }, () => damage(world));
describe('appearance', { timeout: 240_000 }, () => appearance(world));
describe('gallery', { timeout: 120_000 }, () => gallery(world));
describe('walk', { timeout: 1_200_000 }, () => walk(world));
