import { type EntryDecoder, placeOfItem } from '@twinstream/device-model';
import { compileMappings, mappingDecoder, parseMappingText } from '@twinstream/payload-mapping';
import { sequenceNumber, shardId } from '@twinstream/stream-model';
import { expect, test } from 'vitest';
import {
  decodeEntries,
  type Redriven,
  type ReplayEntry,
  redrivenKey,
} from '../../src/replay/replay-entry.ts';
import { noCounts } from '../../src/replay/replay-job.ts';
import { fleetMapping } from '../fleet-mapping.ts';

const SHARD = shardId('shardId-000000000000');
const TS = 1_767_225_600;

function decoderOf(text: string): EntryDecoder {
  const document = parseMappingText(text);
  if ('faults' in document) throw new Error(JSON.stringify(document));
  const mapper = compileMappings([document]);
  if ('faults' in mapper) throw new Error(JSON.stringify(mapper));
  return mappingDecoder(mapper);
}

function entry(number: string, payload: unknown): ReplayEntry {
  const data = Buffer.from(JSON.stringify(payload));
  const place = { shardId: SHARD, sequenceNumber: sequenceNumber(number), subSequenceNumber: 0 };
  return { ...place, arrivalTime: TS * 1_000, partitionKey: 'key', data };
}

async function decoded(entries: readonly ReplayEntry[], redriven: Redriven = new Map()) {
  const counts = noCounts();
  const decoder = decoderOf(fleetMapping(1, 'seconds'));
  const options = { decoder, redriven, isRefused: async () => false };
  const events = await Array.fromAsync(decodeEntries({ shardId: SHARD, entries }, options, counts));
  return {
    counts,
    events: events.map(({ arrived: { place, event }, isRedriven }) => [
      place.subSequenceNumber,
      event.data.temp,
      isRedriven,
    ]),
  };
}

const READINGS = { id: 'pump-1', readings: [{ ts: TS, temp: 1 }, { temp: 2 }, { ts: TS + 2, temp: 3 }] };
const repaired = (subSequenceNumber: number, temp: number, isPart?: true) => ({
  subSequenceNumber,
  text: JSON.stringify({
    ...{ v: 1, deviceId: 'pump-1', type: 'reported', time: '2026-01-01T00:00:00Z', data: { temp } },
  }),
  ...(isPart === undefined ? {} : { isPart }),
});

test('a replay decodes entries as the mapping says, and counts what it rejects and ignores', async () => {
  const { events, counts } = await decoded([entry('1', READINGS), entry('2', { ping: 1 })]);
  expect(events).toEqual([
    [placeOfItem(0, 0), 1, false],
    [placeOfItem(0, 2), 3, false],
  ]);
  expect(counts).toMatchObject({ read: 2, quarantined: 1, skipped: 1 });
});

test('a redriven part of an entry is replayed in its place, beside what was accepted', async () => {
  const one = entry('1', READINGS);
  const redriven = new Map([[redrivenKey(one), [repaired(placeOfItem(0, 1), 2.5, true)]]]);
  const { events, counts } = await decoded([one], redriven);
  expect(events).toEqual([
    [placeOfItem(0, 0), 1, false],
    [placeOfItem(0, 1), 2.5, true],
    [placeOfItem(0, 2), 3, false],
  ]);
  expect(counts.quarantined).toBe(0);
});

test('what was redriven of a whole entry stands for it, whatever the mapping makes of the entry now', async () => {
  const one = entry('1', { id: 'pump-1', ts: TS, temp: 1 });
  const { events } = await decoded([one], new Map([[redrivenKey(one), [repaired(0, 7)]]]));
  expect(events).toEqual([[0, 7, true]]);
});
