// The installation that the walk goes through: an operator, a reseller with a customer,
// and the company of the demonstration with people of every role, sources of which one
// fails, a directory, quarantine, and access to other people's mail.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { eventually } from './browser.mjs';
import { everyday } from './mails.mjs';
import { startServer } from './server.mjs';
import { firstStart } from './setup.mjs';
import { send } from './smtp.mjs';

const run = promisify(execFile);
const root = new URL('../../', import.meta.url).pathname;
const password = 'kastanie-am-fluss-17';

// A session of somebody, without a browser.
async function session(home, login, secret = password) {
  let cookie = '';
  const ask = async (method, path, body) => {
    const answer = await fetch(`${home}/api/v1${path}`, { method, headers: { ...(body && { 'Content-Type': 'application/json' }), ...(cookie && { Cookie: cookie }) }, body: body && JSON.stringify(body) });
    const text = await answer.text();
    assert.ok(answer.ok, `${method} ${path} of ${login}: ${answer.status} ${text.slice(0, 500)}`);
    const set = answer.headers.getSetCookie().find((c) => c.startsWith('muniment_session='));
    cookie = set ? set.split(';')[0] : cookie;
    return text ? JSON.parse(text) : undefined;
  };
  await ask('POST', '/session', { login, password: secret });
  return { get: (path) => ask('GET', path), post: (path, body = {}) => ask('POST', path, body), put: (path, body) => ask('PUT', path, body), patch: (path, body) => ask('PATCH', path, body) };
}

// makeWorld returns the servers, the log-ins by role, and the ids that pages need.
export async function makeWorld() {
  const [server, first] = await Promise.all([startServer(), firstStart()]);
  const home = new URL(server.url).origin;
  const file = join(server.data, 'spool', 'walk-password');
  await writeFile(file, `${password}\n`, { mode: 0o600 });
  const command = (...args) => run(process.env.MUNIMENT_BINARY ?? join(root, 'bin', 'muniment'), ['--data', server.data, ...args, '--password-file', file]);
  await command('operator', 'create', 'olga', '--name', 'Olga Meyer');
  for (const [login, role, name] of [['rita', 'auditor', 'Rita Hansen'], ['dora', 'dpo', 'Dora Lindqvist']]) {
    await command('user', 'create', 'nordlicht', login, '--role', role, '--name', name, '--address', `${login}@nordlicht.example`);
  }
  const ids = { first: first.code };
  const demo = Object.fromEntries(server.logins.map((l) => [l.login, l.password]));
  const people = {
    operator: { login: 'olga', password }, reseller: { login: 'petra', password }, 'tenant-admin': { login: 'anna', password: demo.anna },
    auditor: { login: 'rita', password }, dpo: { login: 'dora', password }, user: { login: 'bernd', password: demo.bernd },
  };
  const operator = await session(home, 'olga');
  await above(home, operator, ids);
  const admin = await session(home, 'anna', demo.anna);
  await company(server, admin, ids);
  await readers(home, ids);
  await eventually(async () => { // the demonstration is sealed within a minute
    assert.equal((await admin.get(`/messages/${ids.message}/evidence`)).state, 'stamped');
  }, 90_000);
  return { server, first, home, people, ids, stop: () => Promise.all([server.stop(), first.stop()]) };
}

// above makes a reseller with staff, and two customers of it, one of them suspended.
async function above(home, operator, ids) {
  const reseller = await operator.post('/resellers', { slug: 'nord', name: 'Systemhaus Nord', limits: { customers: 5, mailboxes: 20 } });
  ids.reseller = reseller.id;
  await operator.patch(`/resellers/${reseller.id}`, { branding: { name: 'Nordarchiv', accent: '#7a2e8e', support: 'hilfe@nord.example' } });
  await operator.post(`/resellers/${reseller.id}/staff`, { login: 'petra', name: 'Petra Voss', password });
  const petra = await session(home, 'petra');
  const order = (name, slug) => ({ name, slug, reference: slug, domains: [{ name: `${slug}.example` }], admin: { login: `${slug}-admin`, name: 'Carla Muster', addresses: [`carla@${slug}.example`] }, limits: { mailboxes: 10, storage: 5_000_000_000 } });
  ids.customer = (await petra.post('/provisioning/tenants', order('Muster & Söhne GmbH', 'muster'))).tenant;
  const second = await petra.post('/provisioning/tenants', order('Bäckerei Krume OHG', 'krume'));
  await petra.post(`/tenants/${second.tenant}/state`, { state: 'suspended' });
  await petra.post('/tokens', { name: 'Shop', scopes: ['tenants:read', 'tenants:write'] });
  await hook(petra, 'Shop', ['tenant.deleted', 'limit.near', 'limit.reached']);
  await hook(operator, 'Leitstelle', ['sealing.failing']);
}

// hook makes a webhook that is told of what does not happen here: nobody is asked.
const hook = (owner, description, kinds) => owner.post('/webhooks', { url: 'https://ereignisse.nord.example/archiv', description, kinds });

// company gives the company of the demonstration what its pages show.
async function company(server, admin, ids) {
  const { sources } = await admin.get('/sources');
  ids.journal = sources.find((s) => s.kind === 'journal').id;
  const mailbox = await admin.post('/sources', { kind: 'mailbox', name: 'info@nordlicht.example', password: 'falsch', mailbox: { host: '127.0.0.1', port: 1, user: 'info', protocol: 'imap', tls: 'implicit' } });
  ids.mailbox = mailbox.id;
  await admin.post('/domains', { name: 'nordlicht.example' });
  await admin.post('/domains', { name: 'nordlicht-moebel.example', alias_of: 'nordlicht.example' });
  const directory = await admin.post('/directories', { name: 'Active Directory', secret: 'falsch', settings: {
    ldap: { flavour: 'ad', host: '127.0.0.1', port: 1, tls: 'implicit', bind_dn: 'archiv@nordlicht.example', base_dn: 'DC=nordlicht,DC=example', interval_seconds: 3600 }, roles: [] } });
  ids.directory = directory.id;
  const account = await admin.get('/session');
  const messages = everyday({ to: account.addresses[0] });
  await send({ address: server.smtp, from: 'post@partners.example', to: server.journal, messages });
  const strange = ['Werbung für Büromaterial', 'Newsletter November', 'Einladung zur Messe'].map((subject, i) => Buffer.from([
    `From: Werbung <mail${i}@werbung.example>`, `To: y${i}@far.example`, `Subject: =?utf-8?B?${Buffer.from(subject).toString('base64')}?=`, `Message-ID: <strange-${i}@werbung.example>`,
    'Date: Mon, 2 Mar 2026 10:00:00 +0100', '', 'Text.', ''].join('\r\n')));
  await send({ address: server.smtp, from: 'mail@werbung.example', to: server.journal, messages: strange });
  await admin.post(`/sources/${ids.mailbox}/fetch`);
  await admin.post('/tokens', { name: 'Überwachung', scopes: ['reports:read'] });
  await hook(admin, 'Überwachung', ['source.failing', 'limit.near']);
  const { users } = await admin.get('/users');
  ids.user = users.find((u) => u.login === 'bernd').id;
  await eventually(async () => {
    const found = await admin.get('/search?order=oldest');
    assert.ok(found.hits.length > 0);
    ids.message = found.hits[0].id;
    assert.equal((await admin.get('/quarantine/counts')).waiting, strange.length);
  });
}

// readers has an auditor ask for access twice; one request is approved and used.
async function readers(home, ids) {
  const rita = await session(home, 'rita');
  const dora = await session(home, 'dora');
  const until = new Date(Date.now() + 5 * 24 * 3600_000).toISOString();
  const request = await rita.post('/access-requests', { kind: 'mailbox', addresses: ['bernd.juergensen@nordlicht.example'], reason: 'Verdacht auf Bestechung im Einkauf', until });
  await dora.post(`/access-requests/${request.id}/decision`, { approve: true, note: 'Mit dem Betriebsrat abgestimmt' });
  await rita.post('/access-requests', { kind: 'session', addresses: ['carla.rossi@nordlicht.example', 'buchhaltung@nordlicht.example'], reason: 'Prüfung der Rechnungen', until });
  const { hits } = await rita.get(`/search?grant=${request.id}`);
  ids.grant = request.id;
  ids.granted = hits[0].id;
  await rita.get(`/messages/${ids.granted}?grant=${request.id}`);
}
