// The browser test: the real program, real SMTP and Chromium. It is in two files, this
// one and wide.test.mjs, which run beside each other.
//
//	world.mjs         what the suites of a file share
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
//	dashboard.mjs     figures and alarms              proof.mjs        a newcomer verifies proofs
//	webhooks.mjs      told and told again (receiver.mjs)  staff.mjs    operators and resellers
//	domains.mjs       proofs by TXT (dns.mjs)         massexport.mjs   four eyes for a bundle
//	retention.mjs     retention, holds                deletion.mjs     four eyes for a deletion
//	walk.mjs          everybody on every page: the pages (walkroutes.mjs), who is there
//	                  (walkworld.mjs), what is looked at (walklook.mjs), and the pictures
//	                  of the manual (walkpictures.mjs)
//
// Run it with `npm run e2e` in web/ after `make build`.
import { describe } from 'node:test';

import { access } from './access.mjs';
import { damage } from './damage.mjs';
import { dashboard } from './dashboard.mjs';
import { deletion } from './deletion.mjs';
import { directories } from './directories.mjs';
import { domains } from './domains.mjs';
import { eventLog } from './eventlog.mjs';
import { evidence } from './evidence.mjs';
import { hierarchy } from './hierarchy.mjs';
import { history } from './history.mjs';
import { login } from './login.mjs';
import { mailboxLogIn } from './mailboxlogin.mjs';
import { massExport } from './massexport.mjs';
import { message } from './message.mjs';
import { proof } from './proof.mjs';
import { retention } from './retention.mjs';
import { routing } from './routing.mjs';
import { search } from './search.mjs';
import { session } from './session.mjs';
import { setup } from './setup.mjs';
import { smarthost } from './smarthost.mjs';
import { sources } from './sources.mjs';
import { staff } from './staff.mjs';
import { users } from './users.mjs';
import { webhooks } from './webhooks.mjs';
import { shareWorld } from './world.mjs';

const world = shareWorld();

describe('session', { timeout: 300_000 }, () => session(world));
// Users come before all that make more of them.
describe('users', { timeout: 500_000 }, () => users(world));
describe('log-ins in steps', { timeout: 500_000 }, () => login(world));
describe('search', { timeout: 400_000 }, () => search(world));
describe('message', { timeout: 400_000 }, () => message(world));
describe('sources', { timeout: 400_000 }, () => sources(world));
describe('log-ins to mailboxes', { timeout: 400_000 }, () => mailboxLogIn(world));
describe('first start', { timeout: 400_000 }, () => setup(world));
describe('directories', { timeout: 400_000 }, () => directories(world));
describe('smarthost', { timeout: 400_000 }, () => smarthost(world));
describe('access', { timeout: 500_000 }, () => access(world));
describe('hierarchy', { timeout: 400_000 }, () => hierarchy(world));
describe('dashboard', { timeout: 500_000 }, () => dashboard(world));
describe('webhooks', { timeout: 300_000 }, () => webhooks(world));
describe('staff', { timeout: 300_000 }, () => staff(world));
describe('evidence', { timeout: 500_000 }, () => evidence(world));
describe('proof', { timeout: 500_000 }, () => proof(world));
describe('domains of customers', { timeout: 300_000 }, () => domains(world));
describe('routing', { timeout: 400_000 }, () => routing(world));
describe('history', { timeout: 300_000 }, () => history(world));
describe('event log', { timeout: 400_000 }, () => eventLog(world));
describe('mass export', { timeout: 300_000 }, () => massExport(world));
describe('retention and holds', { timeout: 300_000 }, () => retention(world));
describe('deletion', { timeout: 300_000 }, () => deletion(world));
describe('damage', { timeout: 300_000 }, () => damage(world));
