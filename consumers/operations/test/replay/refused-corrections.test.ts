import { type DeviceEvent, deviceId, newDevice } from '@twinstream/device-model';
import { writeBatch } from '@twinstream/event-store/contract/chain-writer';
import { memoryQuarantine } from '@twinstream/quarantine';
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

async function setUp({ isQuarantined = true, discarded = new Set<string>() } = {}) {
  const quarantine = memoryQuarantine();
  const live = memoryStores();
  const { sequenceNumber, subSequenceNumber, partitionKey } = ENTRY;
  const entries = [
    { reason: 'correction-ahead', detail: '', subSequenceNumber, partitionKey, data } as const,
  ];
  if (isQuarantined)
    await quarantine.put({ shardId: SHARD, sequenceNumber, arrivalTime, partitionKey, data, entries });
  const { signal } = new AbortController();
  return { live, isRefused: refusedCorrections({ quarantine, discarded, live, signal }) };
}

test('a replay leaves out a correction that lies in quarantine, and one that was discarded there', async () => {
  expect(await (await setUp()).isRefused(ENTRY, event)).toBe(true);
  const discarded = new Set([recordKey(ENTRY)]);
  expect(await (await setUp({ isQuarantined: false, discarded })).isRefused(ENTRY, event)).toBe(true);
});

test('a replay takes a correction that the live projector never refused', async () => {
  expect(await (await setUp({ isQuarantined: false })).isRefused(ENTRY, event)).toBe(false);
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
