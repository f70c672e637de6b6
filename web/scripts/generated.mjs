// Fails if src/api is not what the generator makes of ../api/openapi.json.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const web = join(import.meta.dirname, '..');
const fresh = mkdtempSync(join(tmpdir(), 'muniment-client-'));
const files = (dir) => readdirSync(dir, { recursive: true, withFileTypes: true }).filter((e) => e.isFile()).map((e) => join(e.parentPath, e.name).slice(dir.length)).sort();

try {
  execFileSync(join(web, 'node_modules/.bin/openapi-ts'), ['--output', fresh], { cwd: web, stdio: ['ignore', 'ignore', 'inherit'] });
  const committed = join(web, 'src/api');
  const names = new Set([...files(fresh), ...files(committed)]);
  const read = (dir, name) => {
    try {
      return readFileSync(join(dir, name), 'utf8');
    } catch {
      return undefined;
    }
  };
  const stale = [...names].filter((name) => read(fresh, name) !== read(committed, name));
  if (stale.length > 0) {
    console.error(`src/api is out of date; run: npm run generate\n${stale.join('\n')}`);
    process.exitCode = 1;
  }
} finally {
  rmSync(fresh, { recursive: true, force: true });
}
