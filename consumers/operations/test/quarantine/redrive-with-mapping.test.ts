import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EXIT_CODES } from '@twinstream/command-line';
import { deviceId, placeOfItem } from '@twinstream/device-model';
import type { QuarantinedEntry } from '@twinstream/quarantine';
import { sequenceNumber, shardId } from '@twinstream/stream-model';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { fleetMappingFile } from '../fleet-mapping.ts';
import { type MemoryOperations, memoryOperations, runOps } from '../memory-operations.ts';

const SHARD = shardId('shardId-000000000000');
const PUMP = deviceId('pump-1');

let services: MemoryOperations;
let folder: string;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'twinstream-'));
  services = memoryOperations();
  const finishedThrough = sequenceNumber('500');
  await services.shardProgress.advance('device-events', {
    ...{ shardId: SHARD, finishedThrough },
    ...{ arrivalTime: 0, updatedTime: 0 },
  });
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

async function quarantine(number: string, payload: unknown, more: Partial<QuarantinedEntry> = {}) {
  const data = Buffer.from(typeof payload === 'string' ? payload : JSON.stringify(payload));
  const place = { subSequenceNumber: 0, partitionKey: 'key', data };
  await services.quarantine.put({
    ...{ shardId: SHARD, sequenceNumber: sequenceNumber(number), partitionKey: 'key', data },
    arrivalTime: Date.parse('2026-11-23T05:00:00Z'),
    entries: [{ reason: 'unmapped-value', detail: 'x', ...place, ...more }],
  });
}

const redrive = (...argv: readonly string[]) => runOps(services, ['quarantine', 'redrive', ...argv]);
const stored = async () =>
  (await Array.fromAsync(services.stored.eventStore.pages(PUMP))).flatMap((page) => page.events);
const left = async () => (await Array.fromAsync(services.quarantine.list())).length;

test('a corrected mapping run over the quarantine stores what it maps now, and says before what that will be', async () => {
  await quarantine('100', { serial: PUMP, ts: 1_767_225_600, temp: 21.5 });
  await quarantine('101', { other: 1 });
  await quarantine('102', { ping: 1 });
  const mapping = fleetMappingFile(folder, 2, 'seconds');
  const preview = await redrive('--mapping', mapping);
  expect(preview.stdout).toMatch(/3 records: 1 would-store, 1 still-invalid, 1 ignored/);
  expect(preview.stdout).toMatch(/still-invalid .*no-mapping: /);
  expect(await left()).toBe(3);
  const { stdout, exitCode } = await redrive(
    '--mapping',
    mapping,
    '--execute',
    '--reason',
    'serial',
    '--yes',
  );
  expect(stdout).toMatch(/3 records: 1 stored, 1 still-invalid, 1 ignored/);
  expect(exitCode).toBe(EXIT_CODES.failed);
  expect(await left()).toBe(1);
  const [event] = await stored();
  expect(JSON.parse(event?.text ?? '')).toMatchObject({
    data: { temp: 21.5 },
    mapping: { name: 'fleet', version: 2 },
  });
});

test('a number that no double holds is redriven in its digits: as written in history, as a text in the state', async () => {
  await quarantine('100', `{"serial":"${PUMP}","ts":1767225600,"temp":0.1234567890123456789}`);
  const mapping = fleetMappingFile(folder, 2, 'seconds');
  await redrive('--mapping', mapping, '--execute', '--reason', 'serial', '--yes');
  const [event] = await stored();
  expect(event?.text).toContain('"temp":0.1234567890123456789');
  const state = await services.stored.latestState.read(PUMP);
  expect(state?.attributes.get('temp')?.value).toBe('0.1234567890123456789');
});

test('of a record of several events only those that were rejected are redriven', async () => {
  const readings = [1, 2, 3].map((n) => ({ ts: 1_767_225_600 + n, temp: n }));
  await quarantine('100', { id: PUMP, readings }, { rejectedPlaces: [placeOfItem(0, 1)] });
  const mapping = fleetMappingFile(folder, 1, 'seconds');
  const { stdout, stderr, exitCode } = await redrive(
    ...['--mapping', mapping, '--execute', '--reason', 'w', '--yes'],
  );
  expect(stderr).toContain('the fleet list follows within five minutes');
  expect(stdout).toMatch(/1 record: 1 stored/);
  expect(exitCode).toBe(EXIT_CODES.success);
  expect((await stored()).map(({ place, event }) => [place.subSequenceNumber, event.data.temp])).toEqual([
    [placeOfItem(0, 1), 2],
  ]);
  const [resolved] = await Array.fromAsync(services.quarantine.resolved());
  expect(resolved?.resolution.events).toMatchObject([{ subSequenceNumber: placeOfItem(0, 1), isPart: true }]);
});

test('asks about the records that the filters choose, and names the filters', async () => {
  await quarantine('100', { other: 1 });
  await quarantine('101', { other: 1 }, { reason: 'no-mapping' });
  const ask = async (...argv: readonly string[]) => {
    const chosen = ['quarantine', 'redrive', ...argv, '--execute', '--reason', 'w'];
    return (await runOps(services, chosen, 'no')).questions;
  };
  expect(await ask()).toEqual(['Redrive all 2 records in quarantine into the tables in use? [y/N] ']);
  expect(await ask('--rejection', 'no-mapping', '--limit', '5')).toEqual([
    'Redrive 1 record (--rejection no-mapping --limit 5) into the tables in use? [y/N] ',
  ]);
  expect(await ask(`${SHARD}:100`)).toEqual(['Redrive 1 named record into the tables in use? [y/N] ']);
});

test('a mapping that cannot be read or is invalid is refused by name', async () => {
  await quarantine('100', { id: PUMP });
  const { stderr } = await redrive('--mapping', join(folder, 'none.yaml'));
  expect(stderr).toMatch(/MAPPING_UNREADABLE.*none\.yaml/);
});
