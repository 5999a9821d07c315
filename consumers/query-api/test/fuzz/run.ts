/**
 * Fuzzes the query API from outside, against what `/openapi.json` says of it: `node consumers/query-api/test/fuzz/run.ts`.
 * Needs Schemathesis (PyPI) as `st` on the path, or at `SCHEMATHESIS`; without it says so and ends well.
 */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const SERVER = fileURLToPath(new URL('../fixture-server.ts', import.meta.url));
const HOOKS = fileURLToPath(new URL('hooks.py', import.meta.url));
/** Examples of each operation: the whole takes some 25 s. */
const EXAMPLES = '20';

const st = process.env.SCHEMATHESIS ?? 'st';
if (spawnSync(st, ['--version']).error !== undefined) {
  process.stderr.write(
    'api fuzzing skipped: no Schemathesis (python3 -m pip install schemathesis==4.32.5)\n',
  );
  process.exit(0);
}
const server = spawn(process.execPath, [SERVER, '--port', '0', '--devices', '60'], {
  stdio: ['ignore', 'pipe', 'inherit'],
});
const folder = mkdtempSync(join(tmpdir(), 'twinstream-fuzz-'));
const [line] = await once(createInterface(server.stdout), 'line');
const { url } = JSON.parse(String(line)) as { url: string };
const { status } = spawnSync(
  st,
  // An update stream has no end.
  ['run', `${url}/openapi.json`, '--exclude-path', '/v1/updates', '--max-examples', EXAMPLES].concat(
    // How long it takes to make up a request tells of the machine, not of the API.
    ['--suppress-health-check', 'too_slow'],
    ['--phases', 'examples,coverage,fuzzing', '--request-timeout', '5', '--no-color'],
    process.argv.slice(2),
  ),
  // It writes a cache where it runs.
  { stdio: 'inherit', cwd: folder, env: { ...process.env, SCHEMATHESIS_HOOKS: HOOKS } },
);
server.kill('SIGTERM');
rmSync(folder, { recursive: true, force: true });
process.exitCode = status ?? 1;
