// An OpenLDAP server with a few people, as small as the browser test needs it.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

const find = (name) => ['/usr/sbin', '/sbin', '/usr/bin', '/usr/libexec', '/usr/lib/openldap'].map((dir) => join(dir, name)).find(existsSync);
const suffix = 'dc=firma,dc=example';
const startLimit = 60_000;

const required = /(?:^|,)(?:slapd|all)(?:,|$)/.test(process.env.MUNIMENT_TEST_REQUIRE ?? '');

// missing is the program that has to be installed first; undefined: there is all that is
// needed, or the test is to fail without it.
export const missing = () => (required ? undefined : ['slapd', 'slapadd'].find((name) => !find(name)));

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

// startSlapd resolves to { port, reader, password, base, stop }. People are
// { login, first, last, mails }.
export async function startSlapd(people) {
  const dir = await mkdtemp(join(tmpdir(), 'muniment-slapd-'));
  const reader = `cn=reader,${suffix}`;
  const password = 'only reads';
  const base = `ou=people,${suffix}`;
  await mkdir(join(dir, 'db'));
  await writeFile(join(dir, 'slapd.conf'), `include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_mdb
pidfile ${dir}/pid
sizelimit size.pr=noEstimate size.prtotal=unlimited
database mdb
suffix "${suffix}"
directory ${dir}/db
maxsize 16777216
access to attrs=userPassword by anonymous auth by * none
access to * by dn.exact="${reader}" read by anonymous auth
`);
  const person = ({ login, first, last, mails }) => [`dn: uid=${login},${base}`, 'objectClass: inetOrgPerson', `uid: ${login}`, `cn: ${first} ${last}`, `givenName: ${first}`, `sn: ${last}`,
    ...mails.map((m) => `mail: ${m}`), `userPassword: directory of ${login}`].join('\n');
  await writeFile(join(dir, 'data.ldif'), [`dn: ${suffix}\nobjectClass: dcObject\nobjectClass: organization\ndc: firma\no: Firma`,
    `dn: ${reader}\nobjectClass: organizationalRole\nobjectClass: simpleSecurityObject\ncn: reader\nuserPassword: ${password}`,
    `dn: ${base}\nobjectClass: organizationalUnit\nou: people`, ...people.map(person)].join('\n\n') + '\n');
  const filled = spawnSync(find('slapadd'), ['-q', '-f', join(dir, 'slapd.conf'), '-l', join(dir, 'data.ldif')], { encoding: 'utf8' });
  if (filled.status !== 0) {
    throw new Error(`slapadd: ${filled.stderr}`);
  }
  const port = await freePort();
  const server = spawn(find('slapd'), ['-d', 'none', '-h', `ldap://127.0.0.1:${port}`, '-f', join(dir, 'slapd.conf')], { stdio: 'ignore' });
  const ended = once(server, 'exit');
  for (let waited = 0; ; waited += 50) {
    const socket = connect(port, '127.0.0.1');
    const up = await once(socket, 'connect').then(() => true, () => false);
    socket.destroy();
    if (up) {
      break;
    }
    if (waited > startLimit || server.exitCode !== null) {
      throw new Error('slapd does not answer');
    }
    await pause(50);
  }
  const stop = async () => {
    server.kill('SIGTERM');
    await ended;
    await rm(dir, { recursive: true, force: true });
  };
  return { port, reader, password, base, stop };
}
