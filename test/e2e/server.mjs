// Starts the demonstration as users do and hands out its addresses.
import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

import { startDNS } from './dns.mjs';

const root = new URL('../../', import.meta.url).pathname;
const startLimit = 120_000; // a cold start, including the sample mail, on a slow machine

// startServer resolves once the demonstration has told its addresses:
// { url, smtp, journal, logins: [{ login, password, name, role }], data, dns, stop }. It asks
// a DNS server of its own, and may tell programs on this machine of events.
export async function startServer() {
  const dns = await startDNS();
  const data = await mkdtemp(join(tmpdir(), 'muniment-e2e-'));
  const binary = process.env.MUNIMENT_BINARY ?? join(root, 'bin', 'muniment');
  const args = ['demo', '--data', data, '--listen', '127.0.0.1:0', '--smtp', '127.0.0.1:0', '--json'];
  const child = spawn(binary, args, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, MUNIMENT_DNS_SERVER: dns.address, MUNIMENT_WEBHOOK_NETWORKS: '127.0.0.1/32' } });
  let log = '';
  child.stderr.on('data', (chunk) => {
    log = (log + chunk).slice(-20_000);
  });
  const ended = new Promise((resolve) => child.on('close', resolve));
  const stop = async () => {
    child.kill('SIGTERM');
    await ended;
    await dns.stop();
    await rm(data, { recursive: true, force: true });
  };
  const announced = new Promise((resolve, reject) => {
    child.on('error', (cause) => reject(new Error(`cannot start ${binary}; \`make build\` makes it`, { cause })));
    child.on('close', (code) => reject(new Error(`the demonstration ended with code ${code} before it was ready:\n${log}`)));
    const timer = setTimeout(() => reject(new Error(`the demonstration was not ready after ${startLimit} ms:\n${log}`)), startLimit);
    createInterface({ input: child.stdout }).once('line', (line) => {
      clearTimeout(timer);
      resolve(JSON.parse(line));
    });
  });
  try {
    return { ...(await announced), data, dns, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
