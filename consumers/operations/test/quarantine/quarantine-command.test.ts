import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EXIT_CODES } from '@twinstream/command-line';
import { sequenceNumber, shardId } from '@twinstream/stream-model';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type MemoryOperations, memoryOperations, runOps } from '../memory-operations.ts';

const SHARD = shardId('shardId-000000000000');
const RECORD = `${SHARD}:100`;
const UNKNOWN = `${SHARD}:999`;

let services: MemoryOperations;
let folder: string;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'twinstream-'));
  services = memoryOperations();
  for (const number of ['100', '101']) {
    const data = Buffer.from(`{"v":9,"deviceId":"bus-1","counter":${number}}`);
    const partitionKey = 'bus-1';
    await services.quarantine.put({
      shardId: SHARD,
      sequenceNumber: sequenceNumber(number),
      arrivalTime: Date.parse('2026-11-23T05:00:00Z'),
      partitionKey,
      data,
      entries: [{ reason: 'unsupported-version', detail: '9', subSequenceNumber: 0, partitionKey, data }],
    });
  }
  const finishedThrough = sequenceNumber('500');
  await services.shardProgress.advance('device-events', {
    ...{ shardId: SHARD, finishedThrough },
    ...{ arrivalTime: 0, updatedTime: 0 },
  });
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const quarantined = async () => (await Array.fromAsync(services.quarantine.list())).length;

describe('a record that is not there', () => {
  test.each([
    ['discard', RECORD, UNKNOWN, '--execute', '--reason', 'w', '--yes'],
    ['discard', UNKNOWN],
    ['redrive', UNKNOWN, '--execute', '--reason', 'w', '--yes'],
    ['discard', RECORD, '--rejection', 'empty', '--execute', '--reason', 'w', '--yes'],
  ])('is refused by %s %s %s %s, and nothing is changed', async (...argv) => {
    const { exitCode, stderr } = await runOps(services, ['quarantine', ...argv.filter(Boolean)]);
    expect(stderr).toMatch(/^refused \(NOT_IN_QUARANTINE\): there is no shardId-/);
    expect(exitCode).toBe(EXIT_CODES.refused);
    expect(await quarantined()).toBe(2);
  });
});

describe('--reason says why, and --rejection chooses entries', () => {
  test('a rejection given as the reason is refused before anything is read as chosen', async () => {
    const argv = ['quarantine', 'redrive', '--reason', 'not-json'];
    const { exitCode, stderr } = await runOps(services, argv);
    expect(stderr).toBe('--reason says why you do it; --rejection not-json chooses entries\n');
    expect(exitCode).toBe(EXIT_CODES.usage);
  });

  test('entries of other rejections are left out', async () => {
    const { stdout } = await runOps(services, ['quarantine', 'list', '--rejection', 'empty']);
    expect(stdout).toContain('0 records, 0 entries');
    expect((await runOps(services, ['quarantine', 'list', '--reason', 'x'])).exitCode).toBe(EXIT_CODES.usage);
  });
});

test('a transformation that throws is told of its entry, and the others go on', async () => {
  const path = join(folder, 'repair.ts');
  writeFileSync(
    path,
    `export default (text) => { if (text.includes('100')) throw new Error('no such firmware'); return { v: 1, deviceId: 'bus-1', type: 'reported', time: '2026-11-23T05:00:00Z', data: { a: 1 } }; };`,
  );
  const { exitCode, stdout } = await runOps(services, ['quarantine', 'redrive', '--transform', path]);
  expect(stdout).toMatch(/^transform-failed +- +shardId-000000000000:100:0 +no such firmware$/m);
  expect(stdout).toMatch(/^would-store +bus-1 +shardId-000000000000:101:0$/m);
  expect(exitCode).toBe(EXIT_CODES.failed);
});

test('fixed events are read from a file that an editor began with a byte order mark', async () => {
  const path = join(folder, 'fixed.ndjson');
  const event = { v: 1, deviceId: 'bus-1', type: 'reported', time: '2026-11-23T05:00:00Z', data: { a: 1 } };
  const line = JSON.stringify({ shardId: SHARD, sequenceNumber: '100', subSequenceNumber: 0, event });
  writeFileSync(path, `\ufeff${line}\n`);
  const { stdout } = await runOps(services, ['quarantine', 'redrive', RECORD, '--input', path]);
  expect(stdout).toMatch(/^would-store +bus-1/m);
});
