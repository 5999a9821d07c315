import {
  type ArrivedEvent,
  decodeEvent,
  type EntryDecoder,
  type EntryEvent,
  placeOfItem,
  rejection,
} from '@twinstream/device-model';
import { memoryEventStore } from '@twinstream/event-store';
import { memoryLatestStateTable } from '@twinstream/latest-state';
import { PAGE_WRITING } from '@twinstream/pipeline-settings';
import { HeadCache, openBatch, projectDevice } from '@twinstream/projection';
import { memoryQuarantine } from '@twinstream/quarantine';
import { createLogger } from '@twinstream/runtime';
import { type StreamRecord, sequenceNumber } from '@twinstream/stream-model';
import { arrivedEvent } from '@twinstream/test-kit';
import { expect, test } from 'vitest';
import { type ArchivedPipeline, contentOf, linesOf, SHARDS, verified } from './archived-pipeline.ts';

const [SHARD] = SHARDS;
const START_TIME = Date.parse('2026-11-23T08:00:00Z');
const { signal } = new AbortController();

interface Payload {
  readonly id: string;
  readonly temps?: readonly (number | string | null)[];
  readonly seq?: number;
}

/** A mapping as versions have it: the first takes numbers alone, the second, for which ids are in capitals, texts as well. */
function decoderOf(version: 1 | 2): EntryDecoder {
  const stamp = { name: 'fleet', version };
  const eventOf = ({ id, seq }: Payload, temp: unknown): EntryEvent['decoded'] => {
    const source = seq === undefined ? {} : { source: { counter: seq } };
    const head = { v: 1, deviceId: id, type: 'reported', time: '2026-11-23T08:00:00.000Z', mapping: stamp };
    const decoded = decodeEvent(Buffer.from(JSON.stringify({ ...head, ...source, data: { temp } })));
    if ('rejected' in decoded) throw new TypeError(decoded.detail);
    const sourceCounter = { counter: seq ?? 0, bits: 8, lateMax: 16, restart: false };
    return seq === undefined ? decoded : { ...decoded, sourceCounter };
  };
  return {
    mappings: [`fleet@${version}`],
    decode({ data, subSequenceNumber }) {
      const payload: Payload = JSON.parse(Buffer.from(data).toString());
      if (payload.temps === undefined) {
        const decoded = eventOf(payload, payload.seq);
        return { events: [{ subSequenceNumber, decoded }], ignored: 0 };
      }
      const events: EntryEvent[] = [];
      const rejectedPlaces: number[] = [];
      for (const [item, temp] of payload.temps.entries()) {
        const place = placeOfItem(subSequenceNumber, item);
        if (typeof temp === 'number' || (version === 2 && typeof temp === 'string')) {
          events.push({ subSequenceNumber: place, decoded: eventOf(payload, Number(temp)) });
        } else rejectedPlaces.push(place);
      }
      const whole = rejection('unmapped-value', 'not a number');
      if (rejectedPlaces.length === 0) return { events, ignored: 0 };
      return { events, rejection: events.length === 0 ? whole : { ...whole, rejectedPlaces }, ignored: 0 };
    },
  };
}

let number = 0;
function recordOf(payload: Payload): StreamRecord {
  number += 1;
  return {
    sequenceNumber: sequenceNumber(String(1_000 + number)),
    partitionKey: 'gateway',
    arrivalTime: START_TIME + number,
    data: Buffer.from(JSON.stringify(payload)),
  };
}

/** What a pipeline keeps of these records, each projected with the version beside it. */
async function pipelineOf(
  parts: readonly (readonly [1 | 2 | EntryDecoder, readonly StreamRecord[]])[],
  redriven: readonly ArrivedEvent[] = [],
): Promise<ArchivedPipeline> {
  const stores = { eventStore: memoryEventStore(), latestState: memoryLatestStateTable() };
  const services = { ...stores, logger: createLogger('test', 'silent'), ...PAGE_WRITING };
  const quarantine = memoryQuarantine();
  for (const [version, records] of parts) {
    const batch = { streamName: 's', shardId: SHARD, records };
    const { devices, poison } = openBatch(batch, typeof version === 'number' ? decoderOf(version) : version);
    for (const record of poison) await quarantine.put(record);
    for (const device of devices)
      await projectDevice({ ...services, heads: new HeadCache(0) }, device, signal);
  }
  for (const arrived of redriven) {
    const device = { deviceId: arrived.event.deviceId, shardId: SHARD, from: arrived.place.sequenceNumber };
    const writing = { ...services, heads: new HeadCache(0), repaired: true };
    await projectDevice(writing, { ...device, arrived: [arrived] }, signal);
    for await (const { key, sequenceNumber: of } of quarantine.list()) {
      if (of !== arrived.place.sequenceNumber) continue;
      const { subSequenceNumber } = arrived.place;
      const about = { time: new Date(START_TIME).toISOString(), reason: 'x', actor: 'y' };
      const { text, sourceCounter } = arrived;
      const source = sourceCounter === undefined ? {} : { sourceCounter };
      const events = [{ subSequenceNumber, text, isPart: true as const, ...source }];
      await quarantine.resolve(key, { ...about, outcome: 'redriven', events });
    }
  }
  const records = parts.flatMap(([, some]) => some);
  return {
    archive: new Map([['archive/0.gz', records.flatMap((record) => linesOf(SHARD, record))]]),
    foreignObjects: [],
    ...(await contentOf(stores)),
    letters: await Array.fromAsync(quarantine.contents()),
    givenUp: [],
    progress: new Map([[SHARD, records.at(-1)?.sequenceNumber ?? '0']]),
  };
}

const V1 = { decoders: [decoderOf(1)] };
const BOTH = { decoders: [decoderOf(2), decoderOf(1)] };

test('the archive of a mapped pipeline, in which are the bytes of the devices, is equal to what is stored of it', async () => {
  const pipeline = await pipelineOf([
    [
      1,
      [
        recordOf({ id: 'a', temps: [1, null, 3] }),
        recordOf({ id: 'b', temps: ['x'] }),
        recordOf({ id: 'c', temps: [4] }),
      ],
    ],
  ]);
  const { differences, report } = await verified(pipeline, V1);
  expect(differences).toEqual([]);
  const counts = { positions: 5, eventsFound: 3, deadLetters: 2, missing: 0 };
  expect(report).toMatchObject({ ...counts, duplicates: 0, notFinished: 0 });
});

test('an event that was stored with another text, or is missing, is named', async () => {
  const pipeline = await pipelineOf([[1, [recordOf({ id: 'a', temps: [1, 2] })]]]);
  const altered = {
    ...pipeline,
    archive: new Map(
      [...pipeline.archive].map(([key, lines]) => [
        key,
        lines.map((line) => line.replace('[1,2]', '[1,7,3]')),
      ]),
    ),
  };
  const { differences } = await verified(altered, V1);
  const at = (item: number) => `${SHARD}:${1_000 + number}:${placeOfItem(0, item)}`;
  expect(differences).toEqual([`archive-differs a ${at(1)}`, `not-stored a ${at(2)}`]);
});

test('what an earlier version of the mapping stored is equal by that version, and what it rejected is in quarantine', async () => {
  const pipeline = await pipelineOf([
    [1, [recordOf({ id: 'a', temps: [1, '2'] }), recordOf({ id: 'b', temps: ['3'] })]],
    [2, [recordOf({ id: 'a', temps: [4, '5'] })]],
  ]);
  const { differences, report } = await verified(pipeline, BOTH);
  expect(differences).toEqual([]);
  expect(report).toMatchObject({ positions: 5, eventsFound: 3, deadLetters: 2, missing: 0, notFinished: 0 });
  // Without the version that stored it, it differs.
  const alone = await verified(pipeline, { decoders: [decoderOf(2)] });
  expect(alone.differences).toHaveLength(1);
});

test('a part of an entry that was redriven with a later version is equal, and must be stored', async () => {
  const partly = recordOf({ id: 'a', temps: [1, '2'] });
  const [, event] = decoderOf(2).decode({ ...partly, subSequenceNumber: 0 }, partly.arrivalTime).events;
  if (event === undefined) throw new TypeError('no event');
  const place = { sequenceNumber: partly.sequenceNumber, subSequenceNumber: event.subSequenceNumber };
  const arrived = { place, arrivalTime: partly.arrivalTime, ...event.decoded };
  const pipeline = await pipelineOf([[1, [partly]]], [arrived]);
  for (const changes of [V1, BOTH]) expect((await verified(pipeline, changes)).differences).toEqual([]);
  const lost = await pipelineOf([[1, [partly]]]);
  const { differences } = await verified({ ...lost, letters: pipeline.letters }, V1);
  expect(differences).toEqual([`not-stored a ${SHARD}:${place.sequenceNumber}:${place.subSequenceNumber}`]);
});

test('events whose identity was derived are found by the counter of their source, and copies are copies', async () => {
  const seqs = [254, 255, 0, 0, 1];
  const pipeline = await pipelineOf([[1, seqs.map((seq) => recordOf({ id: 'a', seq }))]]);
  const [stored] = [...pipeline.pages.values()].map((pages) => pages.flatMap(({ events }) => events));
  expect(stored?.map(({ event }) => event.identity?.counter)).toEqual([254, 255, 256, 257]);
  const { differences, report } = await verified(pipeline, V1);
  expect(differences).toEqual([]);
  expect(report).toMatchObject({ eventsFound: 4, duplicates: 1 });
});

/** Makes events of the first reading alone. */
const FIRST_READING: EntryDecoder = {
  mappings: ['fleet@0'],
  decode: (entry, arrivalTime) => {
    const { events, ...rest } = decoderOf(1).decode(entry, arrivalTime);
    return { ...rest, events: events.slice(0, 1) };
  },
};
/** Counts by another counter of the source. */
const OTHER_COUNTER: EntryDecoder = {
  mappings: ['fleet@3'],
  decode: (entry, arrivalTime) => {
    const payload: Payload = JSON.parse(Buffer.from(entry.data).toString());
    const data = Buffer.from(JSON.stringify({ ...payload, seq: (payload.seq ?? 0) + 100 }));
    return decoderOf(1).decode({ ...entry, data }, arrivalTime);
  },
};

test('what a later version makes besides what an earlier one stored of the same entry need not be stored', async () => {
  const pipeline = await pipelineOf([[FIRST_READING, [recordOf({ id: 'a', temps: [1, 2] })]]]);
  const versions = { decoders: [decoderOf(1), FIRST_READING] };
  const { differences, report } = await verified(pipeline, versions);
  expect(differences).toEqual([]);
  expect(report).toMatchObject({ positions: 2, eventsFound: 1, missing: 0 });
  expect((await verified(pipeline, V1)).differences).toEqual([
    `not-stored a ${SHARD}:${1_000 + number}:${placeOfItem(0, 1)}`,
  ]);
});

test('a copy that an earlier version dropped need not be stored as a later version reads it', async () => {
  const pipeline = await pipelineOf([[1, [recordOf({ id: 'a', seq: 5 }), recordOf({ id: 'a', seq: 5 })]]]);
  const { differences, report } = await verified(pipeline, { decoders: [OTHER_COUNTER, decoderOf(1)] });
  expect(differences).toEqual([]);
  expect(report).toMatchObject({ positions: 2, eventsFound: 1, missing: 0 });
});

/** Takes the bytes of an entry as the text of its event. */
const KEYED: EntryDecoder = {
  mappings: ['keyed@1'],
  decode({ data, subSequenceNumber }) {
    const decoded = decodeEvent(data);
    if ('rejected' in decoded) throw new TypeError(decoded.detail);
    return { events: [{ subSequenceNumber, decoded }], ignored: 0 };
  },
};

test('an archived copy of an event by its key is a duplicate, and one whose key is not stored is missed', async () => {
  const keyed = (key: string) => {
    const { text } = arrivedEvent({ deviceId: 'a', key: { key, eventsMax: 1 }, at: number });
    return { ...recordOf({ id: 'a' }), data: Buffer.from(text) };
  };
  // The fourth is a copy beyond the window, stored again.
  const pipeline = await pipelineOf([[KEYED, [keyed('1'), keyed('1'), keyed('2'), keyed('1'), keyed('1')]]]);
  const versions = { decoders: [KEYED] };
  const { differences, report } = await verified(pipeline, versions);
  expect(differences).toEqual([]);
  expect(report).toMatchObject({ positions: 5, eventsFound: 3, duplicates: 2, missing: 0 });
  const lost = keyed('3');
  const more = { archive: new Map([...pipeline.archive, ['archive/1.gz', linesOf(SHARD, lost)]]) };
  const progress = new Map([[SHARD, lost.sequenceNumber]]);
  expect((await verified({ ...pipeline, ...more, progress }, versions)).differences).toEqual([
    `not-stored a ${SHARD}:${lost.sequenceNumber}:0`,
  ]);
});

test('what an earlier version would have made, and did not store, is not missed', async () => {
  const pipeline = await pipelineOf([[OTHER_COUNTER, [recordOf({ id: 'a', seq: 5 })]]]);
  const { differences, report } = await verified(pipeline, { decoders: [OTHER_COUNTER, decoderOf(1)] });
  expect(differences).toEqual([]);
  expect(report).toMatchObject({ positions: 1, eventsFound: 1, missing: 0 });
});

test('a redriven event whose identity was derived is found by the counter of its source', async () => {
  const rejecting: EntryDecoder = {
    mappings: ['fleet@1'],
    decode: () => ({ events: [], rejection: rejection('unmapped-value', 'not yet'), ignored: 0 }),
  };
  const record = recordOf({ id: 'a', seq: 7 });
  const entry = { ...record, subSequenceNumber: 0 };
  const [event] = decoderOf(1).decode(entry, record.arrivalTime).events;
  if (event === undefined) throw new TypeError('no event');
  const place = { sequenceNumber: record.sequenceNumber, subSequenceNumber: 0 };
  const arrived = { place, arrivalTime: record.arrivalTime, ...event.decoded };
  const pipeline = await pipelineOf([[rejecting, [record]]], [arrived]);
  const { differences, report } = await verified(pipeline, { decoders: [rejecting] });
  expect(differences).toEqual([]);
  expect(report).toMatchObject({ eventsFound: 1, missing: 0 });
});

test('an event that an operator made of its entry may differ from what a mapping makes of it, whenever', async () => {
  const record = recordOf({ id: 'a', temps: ['2'] });
  const redriven = { ...record, data: Buffer.from(JSON.stringify({ id: 'a', temps: ['9'] })) };
  const [event] = decoderOf(2).decode({ ...redriven, subSequenceNumber: 0 }, record.arrivalTime).events;
  if (event === undefined) throw new TypeError('no event');
  const place = { sequenceNumber: record.sequenceNumber, subSequenceNumber: event.subSequenceNumber };
  const arrived = { place, arrivalTime: record.arrivalTime, ...event.decoded };
  const pipeline = await pipelineOf([[1, [record]]], [arrived]);
  for (const startTime of [START_TIME + 1, START_TIME]) {
    expect((await verified(pipeline, { ...BOTH, startTime })).differences).toEqual([]);
  }
  const { differences } = await verified({ ...pipeline, letters: [] }, BOTH);
  expect(differences).toEqual([
    `archive-differs a ${SHARD}:${place.sequenceNumber}:${place.subSequenceNumber}`,
  ]);
});
