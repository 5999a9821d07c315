import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { collectedOutput } from '@twinstream/command-line';
import { deviceId, FOLD_VERSION } from '@twinstream/device-model';
import { sequenceNumber, shardId } from '@twinstream/stream-model';
import { expect, test } from 'vitest';
import { replayServices } from '../src/replay/replay-services.ts';
import { runReplay } from '../src/replay/run-replay.ts';
import type { Stores } from '../src/services.ts';
import { operationsConfiguration } from '../src/services.ts';
import { memoryOperations, runOps } from './memory-operations.ts';
import { jobOf, memoryReplay, recordedEntries } from './replay/memory-replay.ts';

const SHARD = shardId('shardId-000000000000');
const EVERY_PAGE = operationsConfiguration({ TWINSTREAM_PAGES_PER_SNAPSHOT: '1' });
const signal = new AbortController().signal;

const lastSnapshot = ({ eventStore }: Stores, device: string) =>
  eventStore.latestSnapshot(deviceId(device), { foldVersion: FOLD_VERSION });

test('a replay into new tables writes snapshots where the projector does', async () => {
  const job = jobOf({ target: 'fresh' });
  const operations = { ...memoryOperations(), configuration: EVERY_PAGE };
  const stdout = collectedOutput();
  const host = {
    ...{ argv: [], folder: '/', environment: {}, clock: operations.clock, stop: signal },
    ...{ stdout, stderr: stdout, ask: async () => undefined },
  };
  const { pageWriting } = await replayServices({ services: operations, host }, job, 0);
  const services = memoryReplay({ entries: recordedEntries(1, 3), ...(pageWriting && { pageWriting }) });
  await services.jobs.create(job);
  await runReplay(services, job, signal);
  expect(await lastSnapshot(services.fresh, 'bus-0')).toBeDefined();
});

test('a redrive writes snapshots where the projector does', async () => {
  const services = { ...memoryOperations(), configuration: EVERY_PAGE };
  const data = Buffer.from('{"v":9}');
  await services.quarantine.put({
    ...{ shardId: SHARD, sequenceNumber: sequenceNumber('100'), arrivalTime: 1, partitionKey: 'bus-1', data },
    entries: [
      { reason: 'unsupported-version', detail: '9', subSequenceNumber: 0, partitionKey: 'bus-1', data },
    ],
  });
  await services.shardProgress.advance('device-events', {
    ...{ shardId: SHARD, finishedThrough: sequenceNumber('500'), arrivalTime: 0, updatedTime: 0 },
  });
  const folder = mkdtempSync(join(tmpdir(), 'twinstream-'));
  const path = join(folder, 'fixed.ndjson');
  const event = { v: 1, deviceId: 'bus-1', type: 'reported', time: '2026-11-23T05:00:00Z', data: { a: 1 } };
  writeFileSync(path, JSON.stringify({ shardId: SHARD, sequenceNumber: '100', subSequenceNumber: 0, event }));
  const argv = [
    'quarantine',
    'redrive',
    `${SHARD}:100`,
    '--input',
    path,
    '--execute',
    '--reason',
    'w',
    '--yes',
  ];
  const { exitCode, stderr } = await runOps(services, [...argv, '--actor', 'test']);
  rmSync(folder, { recursive: true });
  expect(exitCode, stderr).toBe(0);
  expect(await lastSnapshot(services.stored, 'bus-1')).toBeDefined();
});
