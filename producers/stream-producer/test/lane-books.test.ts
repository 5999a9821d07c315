import { HASH_KEY_MAX, hashKey, type Shard, shardId, shardMap } from '@twinstream/stream-model';
import { describe, expect, test } from 'vitest';
import {
  AGGREGATE_LANES_PER_SHARD,
  aggregateLaneIndex,
  aggregateLaneKey,
  createAggregateLanes,
} from '../src/aggregate-lanes.ts';
import type { UserRecord } from '../src/index.ts';
import { AGGREGATED_RECORD_OVERHEAD_BYTES, appendToLane, type Lane } from '../src/lane.ts';
import type { LaneBook } from '../src/lane-book.ts';
import { createLaneMover } from '../src/lane-mover.ts';
import type { PendingRecord } from '../src/pending-record.ts';
import { createPlainLanes } from '../src/plain-lanes.ts';
import { makeReady, nextReadyLane } from '../src/shard-queues.ts';

const RATES = { bytesPerSecond: 1, recordsPerSecond: 1 };
const MIDDLE = 2n ** 127n;
const QUARTER = 2n ** 126n;
const LIMITS = { aggregateBytesMax: 1_000, aggregateRecordsMax: 3, recordBytesMax: 5_000 };

const shard = (name: string, start: bigint, end: bigint): Shard => ({
  shardId: shardId(name),
  hashKeyRange: { start, end },
  isOpen: true,
});
const ONE = shardMap([shard('whole', 0n, HASH_KEY_MAX)]);
const TWO = shardMap([shard('low', 0n, MIDDLE - 1n), shard('high', MIDDLE, HASH_KEY_MAX)]);
const THREE = shardMap([
  shard('lowest', 0n, QUARTER - 1n),
  shard('lower', QUARTER, MIDDLE - 1n),
  shard('high', MIDDLE, HASH_KEY_MAX),
]);

function pendingOf(record: UserRecord, bytes = 10): PendingRecord<UserRecord> {
  const rest = { generation: { pendingCount: 1 }, attempts: 0, possiblyStored: false, failure: undefined };
  return { record, onOutcome: undefined, putAtMs: 0, bytes, ...rest };
}
const recordOf = (partitionKey: string, text = 'x', explicitHashKey?: bigint): UserRecord => ({
  partitionKey,
  data: Buffer.from(text),
  ...(explicitHashKey === undefined ? {} : { explicitHashKey: String(explicitHashKey) }),
});
const texts = ({ queue }: Lane<UserRecord>) =>
  queue.items.slice(queue.head).map(({ record }) => Buffer.from(record.data).toString());
const place = ({ home, partitionKey }: Lane<UserRecord>) => `${home.shard.shardId}/${partitionKey}`;

function put(book: LaneBook<UserRecord>, record: UserRecord, bytes?: number): Lane<UserRecord> {
  const lane = book.laneFor(record);
  appendToLane(lane, pendingOf(record, bytes));
  return lane;
}

/** A device in the lower or the upper half of the hash keys, in the given lane of its shard when one is given. */
function deviceIn(half: 'low' | 'high', lane?: number): string {
  for (let index = 0; index < 10_000; index += 1) {
    const device = `device-${index}`;
    const isLow = hashKey(device) < MIDDLE;
    if (isLow === (half === 'low') && (lane === undefined || aggregateLaneIndex(device) === lane))
      return device;
  }
  throw new Error('no such device');
}

describe('the lanes with aggregation', () => {
  const bookOf = (map = ONE) => createAggregateLanes<UserRecord>(map, RATES, LIMITS, 0);

  test('are 16 for each open shard, all of them idle at first', () => {
    const lanes = [...bookOf(TWO).lanes()];
    expect(bookOf(TWO).shardQueues.map(({ shard: { shardId: id } }) => id)).toEqual(['low', 'high']);
    expect(lanes).toHaveLength(2 * AGGREGATE_LANES_PER_SHARD);
    expect(new Set(lanes.map(({ state }) => state))).toEqual(new Set(['idle']));
    expect(place(lanes[17] as Lane<UserRecord>)).toBe('high/lane-01');
  });

  test('take each record by its explicit hash key, whatever the device had before', () => {
    const book = bookOf(TWO);
    const device = deviceIn('low');
    const key = aggregateLaneKey(aggregateLaneIndex(device));
    expect(place(book.laneFor(recordOf(device)))).toBe(`low/${key}`);
    expect(place(book.laneFor(recordOf(device, 'x', MIDDLE)))).toBe(`high/${key}`);
    expect(place(book.laneFor(recordOf(device, 'x', 0n)))).toBe(`low/${key}`);
    expect(place(book.laneFor(recordOf(device)))).toBe(`low/${key}`);
  });

  test.each([
    ['what it holds', [10], 10 + AGGREGATED_RECORD_OVERHEAD_BYTES],
    ['the size of an aggregate', [900, 900], 1_000],
    ['its first record, when that is larger than an aggregate', [2_000, 900], 2_024],
  ])('reckon with %s and the envelope for the next record of a lane', (_, sizes, content) => {
    const book = bookOf();
    for (const size of sizes) put(book, { partitionKey: 'd', data: new Uint8Array(size - 1) }, size);
    const lane = book.laneFor(recordOf('d'));
    const reckoned = book.packedBytesMax(lane);
    expect(reckoned).toBe(content + 32 + 'lane-00'.length);
    expect(book.pack(lane, 1).bytes).toBeLessThanOrEqual(reckoned);
  });

  test('reckon with no more than a Kinesis record may have', () => {
    const book = bookOf();
    expect(book.packedBytesMax(put(book, recordOf('d'), 4_990))).toBe(LIMITS.recordBytesMax);
    expect(book.packedBytesMax(book.laneFor(recordOf(deviceIn('high', 0))))).toBeLessThan(100);
  });

  test('are full at the bytes or at the records of an aggregate', () => {
    const book = bookOf();
    const bytes = put(book, recordOf('a'), LIMITS.aggregateBytesMax - AGGREGATED_RECORD_OVERHEAD_BYTES - 1);
    expect(book.isFull(bytes)).toBe(false);
    bytes.queuedBytes += 1;
    expect(book.isFull(bytes)).toBe(true);
    const other = bookOf();
    const counts = [1, 2, 3].map(() => other.isFull(put(other, recordOf('a'), 1)));
    expect(counts).toEqual([false, false, true]);
  });

  test('pass on what they have not sent, in order, to the shards that hold the devices now', () => {
    const book = bookOf();
    const [low, high] = [deviceIn('low', 5), deviceIn('high', 5)];
    for (const [device, text] of [
      [low, '1'],
      [high, '2'],
      [low, '3'],
    ] as const)
      put(book, recordOf(device, text));
    const before = book.laneFor(recordOf(low));
    const grown = book.install(TWO, 0);
    expect(grown.map(place).toSorted()).toEqual(['high/lane-05', 'low/lane-05']);
    expect(grown.map((lane) => [place(lane), texts(lane), lane.state])).toEqual([
      ['low/lane-05', ['1', '3'], 'idle'],
      ['high/lane-05', ['2'], 'idle'],
    ]);
    expect(before).toMatchObject({ isRetired: true, queuedBytes: 0 });
    // Nothing is on its way from the closed shard, so that nothing is waited for or kept.
    expect([...book.lanes()]).not.toContain(before);
    expect(book.laneFor(recordOf(low))).not.toBe(before);
  });

  test('stay as they are in a shard that stays, and its successors elsewhere are not blocked', () => {
    const book = bookOf(TWO);
    const stays = put(book, recordOf(deviceIn('high', 3)));
    const goes = put(book, recordOf(deviceIn('low', 3)));
    goes.sentCount = 1;
    expect(book.install(THREE, 0)).toEqual([]);
    expect(book.laneFor(recordOf(deviceIn('high', 3)))).toBe(stays);
    expect(stays).toMatchObject({ isRetired: false, blockers: undefined, state: 'idle' });
    const blocked = [...book.lanes()].filter(({ state }) => state === 'blocked');
    expect(blocked.map(place)).toEqual(['lowest/lane-03', 'lower/lane-03']);
    expect(goes.dependents).toEqual(new Set(blocked));
  });

  test('are not blocked by a closed shard that lies above theirs', () => {
    const book = bookOf(TWO);
    const below = put(book, recordOf(deviceIn('low', 3)));
    put(book, recordOf(deviceIn('high', 3))).sentCount = 1;
    book.install(
      shardMap([
        shard('low', 0n, MIDDLE - 1n),
        shard('higher', MIDDLE, MIDDLE + QUARTER - 1n),
        shard('highest', MIDDLE + QUARTER, HASH_KEY_MAX),
      ]),
      0,
    );
    expect(below).toMatchObject({ blockers: undefined, state: 'idle' });
  });

  test('wait for a closed shard of which they hold one hash key, or which held one', () => {
    const single = shardMap([shard('first', 0n, 0n), shard('others', 1n, HASH_KEY_MAX)]);
    for (const [before, after] of [
      [ONE, single],
      [single, ONE],
    ] as const) {
      const book = bookOf(before);
      const sent = put(book, recordOf('d', 'x', 0n));
      sent.sentCount = 1;
      book.install(after, 0);
      expect(book.laneFor(recordOf('d', 'x', 0n)).blockers).toEqual(new Set([sent]));
    }
  });

  test('name what closed shards have in flight first, until it is settled', () => {
    const book = bookOf();
    const lane = put(book, recordOf(deviceIn('low', 7), 'sent'));
    lane.sentCount = 1;
    put(book, recordOf(deviceIn('low', 7), 'unsent'));
    book.install(TWO, 0);
    expect([...book.lanes()][0]).toBe(lane);
    expect(texts(lane)).toEqual(['sent']);
    book.drop(lane);
    expect([...book.lanes()]).not.toContain(lane);
  });

  test('wait across two reshards for the record that was in flight before both, and for nothing else', () => {
    const book = bookOf();
    const origin = put(book, recordOf(deviceIn('low', 2), '1'));
    origin.sentCount = 1;
    book.install(TWO, 0);
    const between = put(book, recordOf(deviceIn('low', 2), '2'));
    expect(between.blockers).toEqual(new Set([origin]));
    book.install(THREE, 0);
    const last = book.laneFor(recordOf(deviceIn('low', 2)));
    expect(texts(last)).toEqual(['2']);
    expect(last.blockers).toEqual(new Set([origin]));
    expect(between).toMatchObject({ blockers: undefined, isRetired: true });
    expect([...(origin.dependents ?? [])].map(place).toSorted()).toEqual([
      'high/lane-02',
      'lower/lane-02',
      'lowest/lane-02',
    ]);
  });

  test('merged into one wait for the records in flight of both', () => {
    const book = bookOf(TWO);
    const [low, high] = (['low', 'high'] as const).map((half) => put(book, recordOf(deviceIn(half, 9))));
    if (!low || !high) throw new Error('two lanes');
    low.sentCount = 1;
    high.sentCount = 1;
    book.install(ONE, 0);
    expect(book.laneFor(recordOf(deviceIn('low', 9))).blockers).toEqual(new Set([low, high]));
  });

  describe('tell where a record lies', () => {
    const low = shardId('low');

    test('that is stored where it was sent to', () => {
      const book = bookOf(TWO);
      const lane = book.laneFor(recordOf(deviceIn('low')));
      expect(book.landing(lane, low, low, false)).toEqual({ status: 'right', isMapOutdated: false });
    });

    test('only from a map that was read since, unless a reshard has retired its lane', () => {
      const book = bookOf(TWO);
      const lane = book.laneFor(recordOf(deviceIn('high')));
      const status = (actual: string, wasMapReadSince: boolean) =>
        book.landing(lane, shardId('high'), shardId(actual), wasMapReadSince).status;
      expect([status('low', false), status('low', true)]).toEqual(['unknown', 'wrong']);
      expect([status('new', false), status('new', true)]).toEqual(['unknown', 'unknown']);
      lane.isRetired = true;
      expect([status('low', false), status('new', false)]).toEqual(['wrong', 'unknown']);
    });

    test('and that it is foreign, by the range of the shard where it lies', () => {
      const book = bookOf(TWO);
      const landing = book.landing(book.laneFor(recordOf('d')), shardId('gone'), low, true);
      if (landing.status !== 'wrong') throw new Error(landing.status);
      const isForeign = (key: bigint) => landing.isForeign(pendingOf(recordOf('d', 'x', key)));
      expect([0n, MIDDLE - 1n, MIDDLE].map(isForeign)).toEqual([false, false, true]);
      expect(landing.isForeign(pendingOf(recordOf(deviceIn('high'))))).toBe(true);
    });
  });
});

describe('the lanes without aggregation', () => {
  const bookOf = (map = ONE) => createPlainLanes<UserRecord>(map, RATES, 0);

  test('are one for each device with something to send', () => {
    const book = bookOf();
    const lane = put(book, recordOf('a'));
    expect(book.laneFor(recordOf('a'))).toBe(lane);
    expect(book.laneFor(recordOf('b'))).not.toBe(lane);
    expect([...book.lanes()].map(({ partitionKey }) => partitionKey)).toEqual(['a', 'b']);
    book.drop(lane);
    expect([...book.lanes()].map(({ partitionKey }) => partitionKey)).toEqual(['b']);
    expect(book.laneFor(recordOf('a'))).not.toBe(lane);
  });

  test('send one record at a time, as it was put', () => {
    const book = bookOf();
    const lane = put(book, recordOf('ä', 'first'), 7);
    put(book, recordOf('ä', 'second'));
    expect(book.pack(lane, 5)).toStrictEqual({
      transport: { partitionKey: 'ä', data: Buffer.from('first') },
      count: 1,
      bytes: 'first'.length + 2,
    });
    expect(book.packedBytesMax(lane)).toBe(7);
    expect(book.isFull(lane)).toBe(false);
    const explicit = put(book, recordOf('b', 'x', 7n));
    expect(book.pack(explicit, 1).transport).toMatchObject({ explicitHashKey: '7' });
  });

  test('pack nothing without records', () => {
    const book = bookOf();
    const lane = book.laneFor(recordOf('a'));
    expect(() => book.pack(lane, 1)).toThrow('a lane without records was packed');
    expect(book.packedBytesMax(lane)).toBe(0);
  });

  test('find the map outdated when a record lies neither where it was sent nor where its device is now', () => {
    const book = bookOf(TWO);
    const lane = book.laneFor(recordOf('a', 'x', 0n));
    const isOutdated = (predicted: string, actual: string) =>
      book.landing(lane, shardId(predicted), shardId(actual), false);
    expect(isOutdated('whole', 'whole')).toEqual({ status: 'right', isMapOutdated: false });
    expect(isOutdated('whole', 'low')).toEqual({ status: 'right', isMapOutdated: false });
    expect(isOutdated('low', 'high')).toEqual({ status: 'right', isMapOutdated: true });
  });

  test('follow their devices to the shards of a newer map, and those that are ready are ready there', () => {
    const book = bookOf(TWO);
    const [ready, sent, stays] = [0n, QUARTER, MIDDLE].map((key) =>
      put(book, recordOf(`at ${key}`, 'x', key)),
    );
    const empty = book.laneFor(recordOf('empty', 'x', 0n));
    if (!ready || !sent || !stays) throw new Error('three lanes');
    makeReady(ready);
    makeReady(stays);
    sent.state = 'sent';
    const [before, high] = [empty.home, stays.home];
    expect(book.install(THREE, 0)).toEqual([]);
    expect([ready, sent, stays].map(({ home }) => home.shard.shardId)).toEqual(['lowest', 'lower', 'high']);
    expect(empty.home).toBe(before);
    expect(stays.home).toBe(high);
    expect(high.ready.items).toEqual([stays]);
    expect(nextReadyLane(ready.home)).toBe(ready);
    expect(sent.home.ready.items).toEqual([]);
    expect(book.shardQueues.map(({ shard: { shardId: id } }) => id)).toEqual(['lowest', 'lower', 'high']);
  });
});

describe('the mover of devices', () => {
  function moverOf(book: LaneBook<UserRecord>) {
    const scheduled: Lane<UserRecord>[] = [];
    const none = () => undefined;
    const scheduler = { grew: none, backOff: none, advance: none, nextAtMs: undefined };
    const schedule = (lane: Lane<UserRecord>) => {
      scheduled.push(lane);
    };
    return { ...createLaneMover(book, { ...scheduler, schedule }), scheduled };
  }

  test('puts records back before what came later, and wakes only the lanes that are idle', () => {
    const book = createPlainLanes<UserRecord>(ONE, RATES, 0);
    const { handBack, scheduled } = moverOf(book);
    const [idle, waiting] = [put(book, recordOf('a', '3')), put(book, recordOf('b', '4'))];
    waiting.state = 'backing-off';
    const back = [recordOf('a', '1'), recordOf('b', '0'), recordOf('a', '2')];
    handBack(
      back.map((record) => pendingOf(record)),
      0,
    );
    expect([texts(idle), texts(waiting)]).toEqual([
      ['1', '2', '3'],
      ['0', '4'],
    ]);
    expect(scheduled).toEqual([idle]);
  });

  test('lets the successors of a closed lane go on once the last record before them is settled', () => {
    const book = createAggregateLanes<UserRecord>(TWO, RATES, LIMITS, 0);
    const { leave, scheduled } = moverOf(book);
    const [low, high] = (['low', 'high'] as const).map((half) => put(book, recordOf(deviceIn(half, 9))));
    if (!low || !high) throw new Error('two lanes');
    for (const lane of [low, high]) lane.sentCount = 1;
    book.install(ONE, 0);
    const successor = book.laneFor(recordOf(deviceIn('low', 9)));
    leave(low, 0);
    expect(scheduled).toEqual([]);
    expect([...book.lanes()]).not.toContain(low);
    leave(high, 0);
    expect(scheduled).toEqual([successor]);
    expect([low.dependents, high.dependents, successor.blockers?.size]).toEqual([undefined, undefined, 0]);
  });

  test('schedules a lane in service again, with nothing in flight and nothing held', () => {
    const book = createPlainLanes<UserRecord>(ONE, RATES, 0);
    const { leave, scheduled } = moverOf(book);
    const lane = put(book, recordOf('a'));
    lane.sentCount = 1;
    leave(lane, 0);
    expect(lane).toMatchObject({ sentCount: 0, held: undefined });
    expect(scheduled).toEqual([lane]);
    expect([...book.lanes()]).toContain(lane);
  });
});
