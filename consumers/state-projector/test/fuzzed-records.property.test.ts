import { type DeviceId, deviceId, encodeEvent, type JsonValue } from '@twinstream/device-model';
import { memoryQuarantine, type QuarantinedRecord } from '@twinstream/quarantine';
import { encodeAggregate, openRecord } from '@twinstream/stream-model';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  FINISHED,
  projectorFixture,
  record,
  reported,
  type TestRecord,
  uncounted,
} from './projector-fixture.ts';

/** Fuzzed records of one run. The full count is 100,000: `TWINSTREAM_TEST_FUZZED_RECORDS=100000`. */
const RECORDS = Number(process.env.TWINSTREAM_TEST_FUZZED_RECORDS ?? 4_000);
const RECORDS_PER_BATCH = 100;
const MS_PER_RECORD_MAX = 20;
const DEVICES = ['bus-1', 'bus-2', '17', '__proto__', 'constructor'].map(deviceId);
const SHARDS = ['shardId-000000000000', 'shardId-000000000001'];

/** JSON as devices get it wrong: members that are missing, doubled, of another type, nested, endless or not text at all. */
const jsonValue = fc.json({ maxDepth: 4 }).map((text): JsonValue => JSON.parse(text));
const eventMember = fc.constantFrom(
  'v',
  'deviceId',
  'type',
  'time',
  'session',
  'counter',
  'data',
  'correctionId',
);
const mutation = fc.oneof(
  fc.record({ kind: fc.constant('set' as const), member: eventMember, value: jsonValue }),
  fc.record({ kind: fc.constant('drop' as const), member: eventMember }),
  fc.record({ kind: fc.constant('cut' as const), share: fc.double({ min: 0, max: 1, noNaN: true }) }),
  fc.record({ kind: fc.constant('flip' as const), at: fc.nat(400), bit: fc.nat(7) }),
);
type Mutation = typeof mutation extends fc.Arbitrary<infer Kind> ? Kind : never;

const validEvent = fc
  .record({
    id: fc.constantFrom(...DEVICES),
    counter: fc.option(fc.nat(200)),
    data: fc.dictionary(fc.string({ minLength: 1, maxLength: 8 }), jsonValue, { maxKeys: 4 }),
  })
  .map(({ id, counter, data }) =>
    encodeEvent(counter === null ? uncounted(data, id) : reported(counter, data, id)),
  );

const mutatedJson = fc.tuple(validEvent, fc.array(mutation, { minLength: 1, maxLength: 3 })).map(mutated);
const entry = fc.oneof(validEvent, mutatedJson, fc.uint8Array({ maxLength: 40 }));
const aggregate = fc
  .array(fc.record({ partitionKey: fc.constantFrom('k', ...DEVICES), data: entry }), {
    minLength: 1,
    maxLength: 5,
  })
  .map((entries) => encodeAggregate(entries));
const mutatedAggregate = fc.tuple(aggregate, fc.array(mutation, { minLength: 1, maxLength: 2 })).map(mutated);
const payload = fc.oneof(
  { weight: 4, arbitrary: mutatedJson },
  { weight: 2, arbitrary: mutatedAggregate },
  { weight: 2, arbitrary: aggregate },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 200 }) },
  { weight: 2, arbitrary: validEvent },
);

function mutated([bytes, mutations]: [Uint8Array, Mutation[]]): Uint8Array {
  let result = bytes;
  for (const change of mutations) result = mutate(result, change);
  return result;
}

function mutate(bytes: Uint8Array, change: Mutation): Uint8Array {
  if (change.kind === 'cut') return bytes.slice(0, Math.floor(bytes.length * change.share));
  if (change.kind === 'flip') {
    const flipped = bytes.slice();
    const at = change.at % Math.max(1, flipped.length);
    if (flipped.length > 0) flipped[at] = (flipped[at] ?? 0) ^ (1 << change.bit);
    return flipped;
  }
  let event: Record<string, unknown>;
  try {
    event = JSON.parse(Buffer.from(bytes).toString());
  } catch {
    return bytes;
  }
  if (typeof event !== 'object' || event === null) return bytes;
  const { [change.member]: _, ...rest } = event;
  return Buffer.from(
    JSON.stringify(change.kind === 'set' ? { ...rest, [change.member]: change.value } : rest),
  );
}

const batches = fc.infiniteStream(payload);

/** A place that every entry of a record must be found at: stored, quarantined, or refused as sent before. */
function placesOf(shardId: string, { sequenceNumber, partitionKey, data }: TestRecord): string[] {
  const { entries } = openRecord({ partitionKey, data: Buffer.from(data) });
  return entries.map(({ subSequenceNumber }) => `${shardId} ${sequenceNumber} ${subSequenceNumber}`);
}

async function storedPlaces(
  pages: (id: DeviceId) => ReturnType<ReturnType<typeof projectorFixture>['pages']>,
  ids: AsyncIterable<DeviceId>,
): Promise<{ places: Set<string>; duplicates: number }> {
  const places = new Set<string>();
  let duplicates = 0;
  for await (const id of ids) {
    for (const page of await pages(id)) {
      duplicates += page.duplicates;
      for (const { place } of page.events) {
        const name = `${page.shardId} ${place.sequenceNumber} ${place.subSequenceNumber}`;
        expect(places.has(name), `${name} is stored once`).toBe(false);
        places.add(name);
      }
    }
  }
  return { places, duplicates };
}

test(
  'whatever records hold, each event is stored, known as sent before, or quarantined, and no shard stalls',
  async () => {
    const poison: QuarantinedRecord[] = [];
    const quarantine = memoryQuarantine();
    const fixture = projectorFixture({
      quarantine: {
        ...quarantine,
        put: async (found, signal) => {
          poison.push(found);
          await quarantine.put(found, signal);
        },
      },
    });
    const stream = fc.sample(batches, { numRuns: 1, seed: 20_261_123 })[0];
    if (stream === undefined) throw new Error('no payloads were made');
    const everyPlace: string[] = [];
    let sequenceNumber = 0;
    for (let sent = 0; sent < RECORDS; sent += RECORDS_PER_BATCH) {
      const shardId = SHARDS[(sent / RECORDS_PER_BATCH) % SHARDS.length] ?? '';
      const records = Array.from({ length: RECORDS_PER_BATCH }, () => {
        sequenceNumber += 1;
        const { value } = stream.next();
        return record(sequenceNumber, value);
      });
      for (const each of records) everyPlace.push(...placesOf(shardId, each));
      expect(await fixture.deliver(records, shardId)).toEqual(FINISHED);
    }
    const { places, duplicates } = await storedPlaces(fixture.pages, fixture.services.eventStore.deviceIds());
    let quarantined = 0;
    for (const { shardId, sequenceNumber: number, entries } of poison) {
      for (const { subSequenceNumber } of entries) {
        const name = `${shardId} ${number} ${subSequenceNumber}`;
        expect(places.has(name), `${name} is stored or quarantined, not both`).toBe(false);
        places.add(name);
        quarantined += 1;
      }
    }
    // What was sent twice lies nowhere, and is counted.
    const missing = everyPlace.filter((place) => !places.has(place)).length;
    expect(missing).toBe(duplicates);
    expect(places.size + duplicates).toBe(everyPlace.length);
    // Every kind of fate is among them, or the test would prove little.
    expect(Math.min(quarantined, duplicates, places.size - quarantined)).toBeGreaterThan(RECORDS / 100);
  },
  10_000 + RECORDS * MS_PER_RECORD_MAX,
);
