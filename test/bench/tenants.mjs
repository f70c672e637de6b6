// Provisions many tenants by the REST interface and measures how long those wait who
// look after them. It needs a running server and an operator:
//
//   MUNIMENT_URL=http://127.0.0.1:8080 MUNIMENT_OPERATOR=olga MUNIMENT_PASSWORD=… node test/bench/tenants.mjs
//
// TENANTS, USERS and SOURCES change the numbers (50, 500, 10). A reseller looks after half
// of the tenants. It prints milliseconds, as p50 and p95 of 100 requests one after
// another, and ends with 1 if a p95 is above 100 ms, or if somebody gets in as somebody
// else of the same name. At last, as many people as there are cores log in at once, all
// the time; that is told beside. MUNIMENT_PID, the process id of the server, adds what
// it works for each.
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { performance } from 'node:perf_hooks';

const base = `${process.env.MUNIMENT_URL ?? 'http://127.0.0.1:8080'}/api/v1`;
const number = (name, otherwise) => Number(process.env[name] ?? otherwise);
const tenants = number('TENANTS', 50);
const users = number('USERS', 500);
const sources = number('SOURCES', 10);
const password = 'ein-langes-kennwort-7';

async function call(method, path, { cookie, token, body } = {}) {
  const headers = { ...(cookie && { Cookie: cookie }), ...(token && { Authorization: `Bearer ${token}` }), ...(body && { 'Content-Type': 'application/json' }) };
  const answer = await fetch(base + path, { method, headers, ...(body && { body: JSON.stringify(body) }) });
  const text = await answer.text();
  if (!answer.ok) {
    throw new Error(`${method} ${path}: ${answer.status} ${text}`);
  }
  return { data: text ? JSON.parse(text) : undefined, cookie: answer.headers.get('set-cookie')?.split(';')[0] };
}

const logIn = async (login, tenant, secret) => (await call('POST', '/session', { body: { login, password: secret, ...(tenant && { tenant }) } })).cookie;

// cpu is how many milliseconds of CPU the server has used, if its process id is known:
// a busy machine makes people wait, but the server works no longer for them.
const pid = process.env.MUNIMENT_PID;
const tick = 10; // milliseconds of the kernel's clock (USER_HZ)
const cpu = () => (pid ? readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ').slice(11, 13).reduce((sum, n) => sum + tick * Number(n), 0) : undefined);

async function measure(name, times, act) {
  const took = [];
  const used = cpu();
  for (let i = 0; i < times; i++) {
    const start = performance.now();
    await act(i);
    took.push(performance.now() - start);
  }
  took.sort((a, b) => a - b);
  const at = (q) => took[Math.min(took.length - 1, Math.floor(q * took.length))];
  console.log(`${name.padEnd(44)} p50 ${at(0.5).toFixed(1).padStart(7)}  p95 ${at(0.95).toFixed(1).padStart(7)}${pid ? `  CPU ${((cpu() - used) / times).toFixed(1).padStart(6)}` : ''}`);
  return at(0.95);
}

const operator = await logIn(process.env.MUNIMENT_OPERATOR ?? 'olga', undefined, process.env.MUNIMENT_PASSWORD);
const { data: made } = await call('POST', '/tokens', { cookie: operator, body: { name: 'bench', scopes: ['tenants:read', 'tenants:write', 'usage:read'] } });
const token = made.secret;

const start = performance.now();
const customers = [];
for (let n = 0; n < tenants; n++) {
  const domain = `kunde${n}.example`;
  const { data } = await call('POST', '/provisioning/tenants', { token, body: {
    reference: `bench-${n}`, name: `Kunde ${n} GmbH`, slug: `kunde${n}`, domains: [{ name: domain }], limits: { mailboxes: users },
    admin: { login: 'admin', password, addresses: [`admin@${domain}`] },
    users: Array.from({ length: users - 1 }, (_, i) => ({ login: `user${i}`, name: `Person ${i}`, addresses: [`user${i}@${domain}`] })), // the same names in each
  } });
  const cookie = await logIn('admin', data.slug, password);
  const there = (await call('GET', '/sources', { cookie })).data.sources.length;
  for (let i = there; i < sources; i++) {
    await call('POST', '/sources', { cookie, body: { kind: 'journal', name: `Journal ${i}` } });
  }
  customers.push({ ...data, cookie });
}
const { data: resellers } = await call('GET', '/resellers', { cookie: operator });
if (!resellers.resellers.some((r) => r.slug === 'bench')) {
  const { data } = await call('POST', '/resellers', { cookie: operator, body: { slug: 'bench', name: 'Reseller' } });
  await call('POST', `/resellers/${data.id}/staff`, { cookie: operator, body: { login: 'rita', password } });
}
for (const c of customers.filter((_, n) => n % 2 === 0)) {
  await call('PATCH', `/tenants/${c.tenant}`, { cookie: operator, body: { reseller: 'bench' } });
}
const reseller = await logIn('rita', undefined, password);
console.log(`${tenants} tenants with ${users} users and ${sources} sources each in ${((performance.now() - start) / 1000).toFixed(1)} s (nothing new if they were there)`);

// The same name in each tenant, and the same part before the @: everybody is himself.
for (const [n, c] of customers.entries()) {
  for (const cookie of [c.cookie, await logIn(`admin@kunde${n}.example`, undefined, password)]) {
    const { data } = await call('GET', '/session', { cookie });
    if (data.tenant.slug !== c.slug || data.login !== 'admin' || data.addresses.join() !== `admin@kunde${n}.example`) {
      throw new Error(`admin of ${c.slug} is ${data.login} of ${data.tenant.slug} with ${data.addresses.join()}`);
    }
  }
}
console.log(`${customers.length} times the same user name: everybody is himself`);

const any = (i) => customers[i % customers.length];
const worst = [
  await measure('list of tenants', 100, () => call('GET', '/tenants', { cookie: operator })),
  await measure('list of tenants, by a token', 100, () => call('GET', '/tenants', { token })),
  await measure('one tenant', 100, (i) => call('GET', `/tenants/${any(i).tenant}`, { cookie: operator })),
  await measure('usage of a month', 100, () => call('GET', '/usage?month=2026-11', { token })),
  await measure('who is logged in', 100, (i) => call('GET', '/session', { cookie: any(i).cookie })),
  await measure('dashboard of a tenant', 100, (i) => call('GET', '/dashboard', { cookie: any(i).cookie })),
  await measure('dashboard of the reseller', 100, () => call('GET', '/dashboard', { cookie: reseller })),
  await measure('dashboard of the operator', 100, () => call('GET', '/dashboard', { cookie: operator })),
  await measure('dashboard of the operator, by week', 100, () => call('GET', '/dashboard?by=week', { cookie: operator })),
  await measure('dashboard of the operator, by year', 100, () => call('GET', '/dashboard?by=year', { cookie: operator })),
  await measure('list of users', 100, (i) => call('GET', '/users', { cookie: any(i).cookie })),
  await measure('sources of a tenant', 100, (i) => call('GET', '/sources', { cookie: any(i).cookie })),
  await measure('search of a tenant', 100, (i) => call('GET', '/search', { cookie: any(i).cookie })),
];
worst.push(
  await measure('log-in with the name of the tenant', 100, (i) => logIn('admin', any(i).slug, password)),
  await measure('log-in by mail address', 100, (i) => logIn(`admin@kunde${i % customers.length}.example`, undefined, password)),
);
const cores = availableParallelism();
await measure(`log-in, ${cores} at once`, 50, (i) => Promise.all(Array.from({ length: cores }, (_, n) => logIn('admin', any(cores * i + n).slug, password))));
process.exitCode = Math.max(...worst) > 100 ? 1 : 0;
