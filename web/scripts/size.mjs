// Fails if log-in or search load more than 300 kB of compressed script before they
// can be used, or if the built page breaks the content security policy.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

const limit = 300_000;
const dist = join(import.meta.dirname, '..', 'dist');
const assets = readdirSync(join(dist, 'assets'));
const html = readFileSync(join(dist, 'index.html'), 'utf8');

const size = (file) => gzipSync(readFileSync(join(dist, file))).length;
const referenced = (text) => assets.filter((name) => text.includes(name)).map((name) => `assets/${name}`);

// reach follows static imports only: what is loaded together with a file.
function reach(files) {
  const seen = new Set();
  const wait = [...files];
  while (wait.length > 0) {
    const file = wait.pop();
    if (seen.has(file) || !file.endsWith('.js')) continue;
    seen.add(file);
    const source = readFileSync(join(dist, file), 'utf8');
    for (const [, name] of source.matchAll(/(?:from|import)\s*["']\.\/([^"']+)["']/g)) wait.push(`assets/${name}`);
  }
  return seen;
}

// A reader loads the first texts of one language: the longest ones count.
const texts = Math.max(...['de', 'en'].map((language) => assets.filter((name) => name.startsWith(`${language}-first-`) && name.endsWith('.js')).reduce((sum, name) => sum + size(`assets/${name}`), 0)));

let failed = false;
const fail = (text) => {
  failed = true;
  console.error(text);
};
if (!(texts > 1000)) fail('no texts of a language in dist');
for (const page of ['LogInPage', 'SearchPage']) {
  const own = assets.filter((name) => name.startsWith(page) && name.endsWith('.js')).map((name) => `assets/${name}`);
  if (own.length === 0) fail(`${page}: no such script in dist`);
  const files = reach([...referenced(html), ...own]);
  const total = [...files].reduce((sum, file) => sum + size(file), texts);
  console.log(`${page}: ${(total / 1000).toFixed(0)} kB of script, compressed (limit ${limit / 1000})`);
  if (total > limit) fail(`${page} loads more than ${limit} bytes`);
}
if (/<script(?![^>]*\bsrc=)[^>]*>/i.test(html) || /\son\w+=/i.test(html)) fail('index.html contains inline script');
if (/https?:\/\//i.test(html)) fail('index.html refers to another host');
process.exitCode = failed ? 1 : 0;
