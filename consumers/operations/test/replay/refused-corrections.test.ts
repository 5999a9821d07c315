import { type DeviceEvent, deviceId, newDevice } from '@twinstream/device-model';
import { writeBatch } from '@twinstream/event-store/contract/chain-writer';
import { memoryQuarantine } from '@twinstream/quarantine';
import { CodedError } from '@twinstream/runtime';
import { arrivedEvent, DEVICE, SHARDS } from '@twinstream/test-kit';
import { expect, test } from 'vitest';
import { recordKey, refusedCorrections } from '../../src/replay/refused-corrections.ts';
import type { ReplayEntry } from '../../src/replay/replay-entry.ts';
import { memoryStores } from './memory-replay.ts';

const [SHARD] = SHARDS;
const corrects = { session: 9, counter: 1 };
const { place, arrivalTime, event, text } = arrivedEvent({
  at: 5,
  type: 'corrected',
  correctionId: 'c1',
  corrects,
});
const data = new TextEncoder().encode(text);
const ENTRY: ReplayEntry = { shardId: SHARD, ...place, arrivalTime, partitionKey: DEVICE, data };
const OTHER: DeviceEvent = { ...event, deviceId: deviceId('bus-0') };

async function setUp({
  isQuarantined = true,
  discarded = new Set<string>(),
  record = {},
  entry = {},
}: {
  readonly isQuarantined?: boolean;
  readonly discarded?: Set<string>;
  /** What is different of the quarantined record, and of its entry. */
  readonly record?: Partial<Parameters<ReturnType<typeof memoryQuarantine>['put']>[0]>;
  readonly entry?: Partial<Parameters<ReturnType<typeof memoryQuarantine>['put']>[0]['entries'][number]>;
} = {}) {
  const quarantine = memoryQuarantine();
  const live = memoryStores();
  const { sequenceNumber, subSequenceNumber, partitionKey } = ENTRY;
  const entries = [
    { reason: 'correction-ahead', detail: '', subSequenceNumber, partitionKey, data, ...entry } as const,
  ];
  if (isQuarantined)
    await quarantine.put({
      shardId: SHARD,
      sequenceNumber,
      arrivalTime,
      partitionKey,
      data,
      entries,
      ...record,
    });
  const { signal } = new AbortController();
  return { live, quarantine, isRefused: refusedCorrections({ quarantine, discarded, live, signal }) };
}

test('a replay leaves out a correction that lies in quarantine, and one that was discarded there', async () => {
  expect(await (await setUp()).isRefused(ENTRY, event)).toBe(true);
  const discarded = new Set([recordKey(ENTRY)]);
  expect(await (await setUp({ isQuarantined: false, discarded })).isRefused(ENTRY, event)).toBe(true);
});

test('a replay takes a correction that the live projector never refused', async () => {
  expect(await (await setUp({ isQuarantined: false })).isRefused(ENTRY, event)).toBe(false);
});

test.each([
  [
    'another record of its shard',
    { record: { sequenceNumber: arrivedEvent({ at: 6 }).place.sequenceNumber } },
  ],
  ['a record of another shard', { record: { shardId: SHARDS[1] } }],
  ['another entry of its record', { entry: { subSequenceNumber: ENTRY.subSequenceNumber + 1 } }],
  ['its entry for another reason', { entry: { reason: 'invalid-counter' as const } }],
])('a replay takes a correction while quarantine holds %s', async (_, different) => {
  const { isRefused } = await setUp(different);
  expect(await isRefused(ENTRY, event)).toBe(false);
});

test('a replay takes a correction while what was discarded is of another record', async () => {
  const { sequenceNumber } = arrivedEvent({ at: 6 }).place;
  const discarded = new Set([
    recordKey({ ...ENTRY, sequenceNumber }),
    recordKey({ ...ENTRY, shardId: SHARDS[1] }),
  ]);
  expect(await (await setUp({ isQuarantined: false, discarded })).isRefused(ENTRY, event)).toBe(false);
});

test('a replay leaves out a refused correction of a device whose chain lacks pages, which cannot be asked', async () => {
  const { live, isRefused } = await setUp();
  const { pages } = await writeBatch(memoryStores().eventStore, newDevice(DEVICE), SHARD, [
    arrivedEvent({ at: 1, ...corrects }),
  ]);
  const [page] = pages;
  if (page === undefined) throw new Error('a page');
  await live.eventStore.appendPage({ ...page, page: 2 });
  expect(await isRefused(ENTRY, event)).toBe(true);
});

test.each([
  new CodedError('DYNAMODB_REFUSED', 'injected'),
  Object.assign(new Error('no error of ours'), { code: 'CHAIN_BROKEN' }),
])('a replay ends where the live tables cannot be read: %s', async (failure) => {
  const { live, isRefused } = await setUp();
  Object.assign(live.eventStore, {
    pages: () => {
      throw failure;
    },
  });
  await expect(isRefused(ENTRY, event)).rejects.toBe(failure);
});

test('a replay asks for the live state consistently, and for the hour of the record alone', async () => {
  const { live, quarantine, isRefused } = await setUp();
  const asked: unknown[] = [];
  const { read } = live.latestState;
  const { list } = quarantine;
  Object.assign(live.latestState, {
    read: (...[id, options]: Parameters<typeof read>) => {
      asked.push(options?.consistent);
      return read(id, options);
    },
  });
  Object.assign(quarantine, {
    list: (options: Parameters<typeof list>[0]) => {
      asked.push([options?.from, options?.to]);
      return list(options);
    },
  });
  expect(await isRefused(ENTRY, event)).toBe(true);
  expect(asked).toEqual([[arrivalTime, arrivalTime + 1], true]);
});

test('a replay takes a correction that was refused first and stored by a later delivery', async () => {
  const { live, isRefused } = await setUp();
  const arrived = [arrivedEvent({ at: 1, ...corrects }), { place, arrivalTime, event, text }];
  const { state } = await writeBatch(live.eventStore, newDevice(DEVICE), SHARD, arrived);
  expect(await isRefused(ENTRY, event)).toBe(false);
  await live.latestState.write(state);
  expect(await isRefused(ENTRY, event)).toBe(false);
  expect(await isRefused(ENTRY, OTHER)).toBe(true);
});
