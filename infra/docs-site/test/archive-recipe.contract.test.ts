import { execFile } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { pythonTool } from '@twinstream/cdk/python-tool';
import { deviceId, encodeEvent } from '@twinstream/device-model';
import { archiveLines, sequenceNumber, shardId } from '@twinstream/stream-model';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { sourceText } from '../src/site-pages.ts';

const run = promisify(execFile);
const DUCKDB = 'duckdb-cli==1.5.6';
const SHARD = shardId('shardId-000000000000');
const ARRIVAL = Date.parse('2026-12-01T10:59:59.500Z');
const LINE_BYTES_MAX = 1_000 * 1_024;

/** Commands of the page that DuckDB runs, in their order. */
const COMMANDS = [
  ...sourceText('docs/how-to/query-the-archive.md').matchAll(/```sh\n(duckdb [\s\S]*?)```/g),
].map(([, command = '']) => command);

const tool = await pythonTool(DUCKDB, 'duckdb');

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'twinstream-archive-'));
  const lines = ['1', '2', '3', '5'].flatMap((counter, index) => [
    ...archiveLines(
      SHARD,
      {
        sequenceNumber: sequenceNumber(`4965${'0'.repeat(50)}${counter}`),
        partitionKey: 'pump-1',
        data: Buffer.from(
          encodeEvent({
            v: 1,
            deviceId: deviceId('pump-1'),
            type: 'reported',
            time: '2026-12-01T10:59:59.000Z',
            identity: { session: 7, counter: Number(counter) },
            data: { temperatureC: 20 + index },
          }),
        ),
        arrivalTime: ARRIVAL + index * 1_000,
      },
      LINE_BYTES_MAX,
    ),
  ]);
  const damaged = archiveLines(
    SHARD,
    {
      sequenceNumber: sequenceNumber(`4965${'0'.repeat(50)}9`),
      partitionKey: 'pump-2',
      data: Buffer.from('no JSON'),
      arrivalTime: ARRIVAL,
    },
    LINE_BYTES_MAX,
  );
  const texts = [...lines, ...damaged].map(({ binary }) => binary);
  write('archive/year=2026/month=12/day=01/hour=11/a.gz', texts);
  // What is delivered twice is written twice.
  write('archive/year=2026/month=12/day=01/hour=11/b.gz', texts.slice(0, 2));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function write(path: string, lines: readonly string[]): void {
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  writeFileSync(join(folder, path), gzipSync(Buffer.from(lines.join(''), 'latin1')));
}

/** Runs a command of the page as it stands; DuckDB prints its rows as JSON. */
async function rowsOf(command: string, binDir: string): Promise<unknown> {
  const bin = join(folder, 'bin');
  mkdirSync(bin, { recursive: true });
  writeFileSync(
    join(bin, 'duckdb'),
    `#!/bin/sh\nexec '${join(binDir, 'duckdb')}' -json -init /dev/null "$@"\n`,
  );
  chmodSync(join(bin, 'duckdb'), 0o755);
  const { stdout } = await run('bash', ['-ec', command], {
    cwd: folder,
    env: { ...process.env, PATH: `${bin}:${process.env.PATH}`, TZ: 'UTC' },
  });
  return stdout.trim() === '' ? [] : JSON.parse(stdout);
}

describe.skipIf(!tool.isThere)(
  tool.isThere
    ? 'docs/how-to/query-the-archive.md'
    : `not run, since ${tool.reason}: docs/how-to/query-the-archive.md`,
  () => {
    test('its commands find each archived event once, its values over time, and the counters that are missing', async () => {
      if (!tool.isThere) return;
      const results: unknown[] = [];
      for (const command of COMMANDS) results.push(await rowsOf(command, tool.binDir));
      expect(results).toEqual([
        [],
        [{ deviceId: 'pump-1', events: 4, lastArrival: '2026-12-01 11:00:02.5+00' }],
        [
          { hour: '2026-12-01 10:00:00+00', mean: 20, highest: 20 },
          { hour: '2026-12-01 11:00:00+00', mean: 22, highest: 23 },
        ],
        [{ deviceId: 'pump-1', session: 7, missing: 1 }],
      ]);
    }, 60_000);
  },
);
