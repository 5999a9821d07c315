import { CodedError } from '@twinstream/runtime';
import { HASH_KEY_MAX, sequenceNumber, shardId, shardMap } from '@twinstream/stream-model';
import { describe, expect, test } from 'vitest';
import { createAggregateLanes } from '../src/aggregate-lanes.ts';
import type { UserRecord } from '../src/index.ts';
import { appendToLane, type Lane } from '../src/lane.ts';
import { createLaneScheduler, createRetrier } from '../src/lane-scheduler.ts';
import { createMetricsRecorder, type ProducerEvent } from '../src/metrics.ts';
import type { MixedAggregates } from '../src/options.ts';
import type { PendingRecord } from '../src/pending-record.ts';
import type { RequestResult } from '../src/put-request.ts';
import { createSettler } from '../src/settler.ts';
import { createHarness, firstShard } from './harness.ts';

test.each([
  ['InternalFailure', true],
  ['ProvisionedThroughputExceededException', false],
] as const)(
  'a record that is rejected with %s until its deadline may have been stored: %s',
  async (errorCode, possiblyStored) => {
    const { clock, producer, put, outcomes } = await createHarness({
      producer: { lingerMs: 1, deadlineMs: 5_000 },
      wrap: ({ listShards }) => ({
        listShards,
        putRecords: async (records) =>
          records.map(() => ({ status: 'rejected' as const, errorCode, message: 'injected' })),
      }),
    });
    await put('a', '1');
    await clock.run(producer.flush());
    expect(outcomes).toMatchObject([{ status: 'failed', possiblyStored }]);
  },
);

test('what is left of an aggregate that waits for the map keeps its own index when the first record expires', async () => {
  let isMapHidden = false;
  const { clock, producer, put, stub, outcomes } = await createHarness({
    // Reads of the map are tried so often that one succeeds before the other records expire, whatever waits are drawn.
    producer: { aggregate: true, lingerMs: 3_000, deadlineMs: 5_000, backoff: { baseMs: 10, capMs: 100 } },
    wrap: ({ listShards, putRecords }) => ({
      putRecords,
      listShards: (nextToken, signal) =>
        isMapHidden
          ? Promise.reject(new CodedError('STREAM_UNAVAILABLE', 'injected', { retryable: true }))
          : listShards(nextToken, signal),
    }),
  });
  isMapHidden = true;
  stub.split(firstShard(stub));
  await put('a', '1');
  await clock.advance(2_000);
  await put('a', '2');
  await put('a', '3');
  await clock.advance(3_500);
  expect(stub.records).toHaveLength(1);
  expect(outcomes).toMatchObject([{ status: 'failed', possiblyStored: true }]);
  isMapHidden = false;
  await clock.run(producer.flush());
  const [aggregate] = stub.records;
  expect(outcomes.slice(1)).toMatchObject(
    [1, 2].map((subSequenceNumber) => ({
      status: 'acknowledged',
      position: { sequenceNumber: aggregate?.sequenceNumber, subSequenceNumber },
    })),
  );
});

describe('the answer to a request', () => {
  const shard = (name: string, start: bigint, end: bigint) => ({
    shardId: shardId(name),
    hashKeyRange: { start, end },
    isOpen: true,
  });
  const MIDDLE = 2n ** 127n;
  const ONE = shardMap([shard('whole', 0n, HASH_KEY_MAX)]);
  const TWO = shardMap([shard('low', 0n, MIDDLE - 1n), shard('high', MIDDLE, HASH_KEY_MAX)]);
  const STREAM_ERROR = new CodedError('STREAM_UNAVAILABLE', 'injected', { retryable: true });
  const DEADLINE_MS = 1_000;

  const storedIn = (name: string) => ({
    status: 'stored' as const,
    shardId: shardId(name),
    sequenceNumber: sequenceNumber('7'),
  });
  const rejected = (errorCode: string) => ({ status: 'rejected' as const, errorCode, message: 'injected' });
  const THROTTLED = rejected('ProvisionedThroughputExceededException');
  const answered = (
    ...answers: Extract<RequestResult, { status: 'answered' }>['answers']
  ): RequestResult => ({
    status: 'answered',
    answers,
  });

  /** A settler over one shard, aggregated lanes that never linger, and waits of 10, 20, 30 … ms in the order of the draws. */
  function settlerOf(mixedAggregates: MixedAggregates = 'divide') {
    const book = createAggregateLanes<UserRecord>(
      ONE,
      { bytesPerSecond: 1_000, recordsPerSecond: 1_000 },
      { aggregateBytesMax: 1_000, aggregateRecordsMax: 100, recordBytesMax: 5_000 },
      0,
    );
    let draws = 0;
    const retrier = createRetrier<UserRecord>({ baseMs: 1_000, capMs: 1_000 }, () => {
      draws += 1;
      return draws / 100;
    });
    const scheduler = createLaneScheduler<UserRecord>({
      book,
      retrier,
      lingerMs: 0,
      lingeringLanesMax: 1,
      isFlushing: () => false,
      onReady: () => undefined,
    });
    const gauges = { userRecordsPending: 0, bufferedBytes: 0, putsWaiting: 0, requestsInFlight: 0 };
    const recorder = createMetricsRecorder(() => gauges);
    const events: ProducerEvent[] = [];
    recorder.metrics.subscribe((event) => events.push(event));
    const told: unknown[] = [];
    const textIn = ({ record }: PendingRecord<UserRecord>) => Buffer.from(record.data).toString();
    const seen = { mapRequests: 0 };
    const settler = createSettler<UserRecord>({
      book,
      scheduler,
      retrier,
      recorder,
      deadlineMs: DEADLINE_MS,
      mixedAggregates,
      outcomes: {
        acknowledge: (pending, answer, subSequenceNumber) =>
          told.push([textIn(pending), answer.shardId, subSequenceNumber]),
        fail: (pending, reason) => told.push([textIn(pending), reason]),
        expire: (records, deadlineMs) => told.push([records.map(textIn), deadlineMs]),
      },
      requestMap: () => {
        seen.mapRequests += 1;
      },
    });
    /** Puts records whose hash keys begin the lower half, unless their text ends in `^`, into one lane. */
    const put = (device: string, texts: readonly string[], putAtMs = 0): Lane<UserRecord> => {
      const records = texts.map((text) => ({
        partitionKey: device,
        data: Buffer.from(text),
        explicitHashKey: text.endsWith('^') ? String(MIDDLE) : '0',
      }));
      const lane = book.laneFor(records[0] as UserRecord);
      for (const record of records) {
        const rest = { generation: { pendingCount: 1 }, attempts: 1, possiblyStored: false };
        appendToLane(lane, { record, onOutcome: undefined, putAtMs, bytes: 10, failure: undefined, ...rest });
      }
      return lane;
    };
    const send = (lane: Lane<UserRecord>, count: number) => {
      lane.state = 'sent';
      lane.sentCount = count;
      return { ...book.pack(lane, count), bytes: 100, lane, home: lane.home };
    };
    const left = ({ queue }: Lane<UserRecord>) => queue.items.slice(queue.head);
    return { book, settler, recorder, events, told, put, send, left, textIn, seen };
  }

  test('acknowledges each record with its index, and the lane sends on from its first backoff', () => {
    const { settler, recorder, events, told, put, send, seen } = settlerOf();
    const lane = put('a', ['1', '2', '3']);
    lane.failures = 4;
    settler.settle([send(lane, 2)], answered(storedIn('whole')), 5);
    expect(told).toEqual([
      ['1', 'whole', 0],
      ['2', 'whole', 1],
    ]);
    expect(lane).toMatchObject({ failures: 0, sentCount: 0, state: 'ready', held: undefined });
    expect(recorder.counts).toMatchObject({ recordsAcknowledged: 1, bytesAcknowledged: 100, shardMisses: 0 });
    expect([events, seen.mapRequests]).toEqual([[], 0]);
  });

  test.each([
    ['throttled', answered(THROTTLED), false, 'RECORD_REFUSED'],
    ['rejected', answered(rejected('InternalFailure')), true, 'RECORD_REFUSED'],
    ['throttled', { status: 'throttled', error: STREAM_ERROR } as const, false, 'STREAM_UNAVAILABLE'],
    ['unanswered', { status: 'unanswered', error: STREAM_ERROR } as const, true, 'STREAM_UNAVAILABLE'],
  ])('retries as %s what %j has not stored', (reason, result, possiblyStored, code) => {
    const { settler, events, told, put, send, left } = settlerOf();
    const lane = put('a', ['1', '2', '3']);
    settler.settle([send(lane, 2)], result, 5);
    expect(told).toEqual([]);
    expect(lane).toMatchObject({ failures: 1, sentCount: 0, state: 'backing-off' });
    const [first, second, third] = left(lane);
    expect(first).toMatchObject({
      possiblyStored,
      failure: { reason, possiblyStored, error: { code, retryable: true } },
    });
    expect(second?.failure).toBe(first?.failure);
    expect(third).toMatchObject({ possiblyStored: false, failure: undefined });
    expect(events).toEqual([{ type: 'retry', reason, userRecordCount: 2, delayMs: 10 }]);
  });

  test('counts what is throttled apart from what is rejected, and names the code of the stream', () => {
    const { settler, recorder, put, send, left } = settlerOf();
    const [a, b] = [put('device-1', ['1']), put('device-2', ['2'])];
    settler.settle([send(a, 1), send(b, 1)], answered(THROTTLED, rejected('InternalFailure')), 5);
    expect(recorder.counts).toMatchObject({
      recordsThrottled: 1,
      recordsRejected: 1,
      recordsAcknowledged: 0,
    });
    expect(left(b)[0]?.failure?.error.message).toBe('InternalFailure: injected');
  });

  test('that has none for a record leaves its lane as it is', () => {
    const { settler, recorder, told, put, send } = settlerOf();
    const lane = put('a', ['1']);
    settler.settle([send(lane, 1)], answered(), 5);
    expect(lane).toMatchObject({ state: 'sent', sentCount: 1 });
    expect([told, recorder.counts.recordsRejected]).toEqual([[], 0]);
  });

  test('retries lanes that fail together after one wait, as far as they have failed equally often', () => {
    const { settler, events, put, send } = settlerOf();
    const lanes = ['device-1', 'device-2', 'device-3'].map((device) => put(device, ['1']));
    expect(new Set(lanes).size).toBe(3);
    const [, , often] = lanes;
    if (often === undefined) throw new Error('three lanes');
    often.failures = 1;
    const fail = () =>
      settler.settle(
        lanes.map((lane) => send(lane, 1)),
        { status: 'throttled', error: STREAM_ERROR },
        5,
      );
    const delays = () => events.splice(0).flatMap((event) => (event.type === 'retry' ? [event.delayMs] : []));
    fail();
    expect(delays()).toEqual([10, 10, 20]);
    fail();
    expect(delays()).toEqual([30, 30, 40]);
  });

  test.each([
    ['throttled requests', { status: 'throttled', error: STREAM_ERROR } as const, 1],
    ['throttled records', answered(THROTTLED), 1],
    ['rejected records', answered(rejected('InternalFailure')), 0],
    ['requests without an answer', { status: 'unanswered', error: STREAM_ERROR } as const, 0],
  ])('slows a shard for %s', (_, result, slowedCount) => {
    const { settler, events, put, send } = settlerOf();
    const lane = put('a', ['1']);
    for (let answer = 0; answer < 20; answer += 1) settler.settle([send(lane, 1)], result, 600);
    const slowed = events.filter(({ type }) => type === 'shard-slowed');
    expect(slowed).toEqual(
      Array.from({ length: slowedCount }, () => ({ type: 'shard-slowed', shardId: 'whole', share: 0.4 })),
    );
  });

  test('that refuses a request for good fails its records, and the lane goes on', () => {
    const { settler, told, put, send, left } = settlerOf();
    const lane = put('a', ['1', '2']);
    const error = new CodedError('STREAM_REJECTED', 'no such stream');
    settler.settle([send(lane, 1)], { status: 'refused', error }, 5);
    expect(told).toMatchObject([
      [
        '1',
        { code: 'STREAM_REJECTED', message: 'the stream refuses the record: no such stream', cause: error },
      ],
    ]);
    expect(left(lane)).toHaveLength(1);
    expect(lane).toMatchObject({ sentCount: 0, state: 'ready' });
  });

  test('that calls a request malformed has its lanes sent alone, then their records one by one, and then fails one', () => {
    const { settler, events, told, put, send, left } = settlerOf();
    const [a, b] = [put('device-1', ['1', '2', '3']), put('device-2', ['4'])];
    const malformed = { status: 'malformed', error: new CodedError('REQUEST_INVALID', 'bad') } as const;
    settler.settle([send(a, 2), send(b, 1)], malformed, 5);
    expect(
      [a, b].map(({ suspicion, suspectCount, state, sentCount }) => [
        suspicion,
        suspectCount,
        state,
        sentCount,
      ]),
    ).toEqual([
      ['alone', 2, 'ready', 0],
      ['alone', 1, 'ready', 0],
    ]);
    expect(left(a)[0]).toMatchObject({
      possiblyStored: false,
      failure: { reason: 'isolated', error: malformed.error },
    });
    expect(events[0]).toEqual({ type: 'retry', reason: 'isolated', userRecordCount: 2, delayMs: 0 });
    settler.settle([send(a, 3)], malformed, 5);
    expect(a).toMatchObject({ suspicion: 'single', suspectCount: 3 });
    expect(told).toEqual([]);
    settler.settle([send(a, 1)], malformed, 5);
    expect(told).toMatchObject([['1', { code: 'STREAM_REJECTED', cause: malformed.error }]]);
    expect(a).toMatchObject({ suspicion: 'single', suspectCount: 2 });
    settler.settle([send(a, 1)], malformed, 5);
    settler.settle([send(a, 1)], answered(storedIn('whole')), 5);
    expect(a).toMatchObject({ suspicion: 'none', suspectCount: 0, state: 'idle' });
  });

  test('from a shard that the map does not know waits for a newer map, and asks for one', () => {
    const { book, settler, recorder, events, told, put, send, left, seen } = settlerOf();
    const lane = put('a', ['1', '2', '3']);
    settler.settle([send(lane, 2)], answered(storedIn('low')), 5);
    expect([told, seen.mapRequests, recorder.counts.shardMisses]).toEqual([[], 1, 1]);
    expect(lane).toMatchObject({ state: 'held', sentCount: 2 });
    expect(left(lane).map(({ possiblyStored }) => possiblyStored)).toEqual([true, true, false]);
    settler.mapInstalled(10);
    expect([told, seen.mapRequests]).toEqual([[], 2]);
    book.install(TWO, 20);
    settler.mapInstalled(20);
    expect(told).toEqual([
      ['1', 'low', 0],
      ['2', 'low', 1],
    ]);
    expect([...book.lanes()]).not.toContain(lane);
    settler.mapInstalled(30);
    expect(told).toHaveLength(2);
    expect(events).toEqual([]);
  });

  test('from a shard that the map has explained is no reason to expire what the lane sends next', () => {
    const { settler, told, put, send, left } = settlerOf();
    const lane = put('a', ['1', '2']);
    settler.settle([send(lane, 1)], answered(storedIn('low')), 5);
    lane.home = { ...lane.home, shard: { ...lane.home.shard, shardId: shardId('low') } };
    settler.mapInstalled(10);
    expect(told).toEqual([['1', 'low', 0]]);
    send(lane, 1);
    settler.expireHeld(5_000);
    expect([told.length, left(lane).length, lane.sentCount]).toEqual([1, 1, 1]);
  });

  test('that comes after the reshard is divided immediately, and what moves may be stored', () => {
    const { book, settler, told, put, send, left } = settlerOf();
    const lane = put('a', ['1', '2^']);
    const sent = [send(lane, 2)];
    book.install(TWO, 3);
    settler.settle(sent, answered(storedIn('low')), 5);
    expect(told).toEqual([['1', 'low', 0]]);
    const high = book.laneFor({ partitionKey: 'a', data: Buffer.from('x'), explicitHashKey: String(MIDDLE) });
    expect(left(high)).toMatchObject([{ possiblyStored: true, failure: { possiblyStored: true } }]);
  });

  test('from the wrong child of a split sends on only what belongs to the other', () => {
    const { book, settler, events, told, put, send, left, textIn } = settlerOf();
    const lane = put('a', ['1', '2^', '3', '4^']);
    settler.settle([send(lane, 3)], answered(storedIn('low')), 5);
    book.install(TWO, 20);
    settler.mapInstalled(20);
    expect(told).toEqual([
      ['1', 'low', 0],
      ['3', 'low', 2],
    ]);
    const high = book.laneFor({ partitionKey: 'a', data: Buffer.from('x'), explicitHashKey: String(MIDDLE) });
    expect(left(high).map(textIn)).toEqual(['2^', '4^']);
    expect(left(high)[0]).toMatchObject({
      possiblyStored: true,
      failure: {
        reason: 'wrong-shard',
        error: {
          code: 'WRONG_SHARD',
          retryable: true,
          message: 'stored in low, which does not hold its hash key',
        },
      },
    });
    expect(high.state).toBe('ready');
    expect(events).toEqual([{ type: 'retry', reason: 'wrong-shard', userRecordCount: 1, delayMs: 0 }]);
  });

  test('from the wrong child of a split sends on all of it with `resend`, before what came later', () => {
    const { book, settler, events, told, put, send, left, textIn } = settlerOf('resend');
    const lane = put('a', ['1', '2^', '3', '4^']);
    settler.settle([send(lane, 3)], answered(storedIn('low')), 5);
    book.install(TWO, 20);
    settler.mapInstalled(20);
    expect(told).toEqual([]);
    const low = book.laneFor({ partitionKey: 'a', data: Buffer.from('x'), explicitHashKey: '0' });
    const high = book.laneFor({ partitionKey: 'a', data: Buffer.from('x'), explicitHashKey: String(MIDDLE) });
    expect([left(low).map(textIn), left(high).map(textIn)]).toEqual([
      ['1', '3'],
      ['2^', '4^'],
    ]);
    expect(left(low)[0]).toMatchObject({
      possiblyStored: true,
      failure: {
        reason: 'wrong-shard',
        error: { message: 'stored in low, which does not hold every hash key of its aggregate' },
      },
    });
    expect(events).toEqual([{ type: 'retry', reason: 'wrong-shard', userRecordCount: 3, delayMs: 0 }]);
  });

  test('from the one child that owns all of it is acknowledged there with `resend`, too', () => {
    const { book, settler, told, put, send } = settlerOf('resend');
    const lane = put('a', ['1', '2']);
    settler.settle([send(lane, 2)], answered(storedIn('low')), 5);
    book.install(TWO, 20);
    settler.mapInstalled(20);
    expect(told).toEqual([
      ['1', 'low', 0],
      ['2', 'low', 1],
    ]);
  });

  test.each([
    ['a retry', { status: 'unanswered', error: STREAM_ERROR } as const, 'unanswered'],
    ['an isolation', { status: 'malformed', error: STREAM_ERROR } as const, 'isolated'],
  ])(
    'that asks for %s of a closed shard hands its records to the successor, before what came later',
    (_, result, reason) => {
      const { book, settler, events, put, send, left, textIn } = settlerOf();
      const lane = put('a', ['1', '2', '3']);
      const sent = [send(lane, 2)];
      book.install(TWO, 20);
      settler.settle(sent, result, 25);
      const successor = put('a', ['4']);
      expect(left(successor).map(textIn)).toEqual(['1', '2', '3', '4']);
      expect([successor.state, left(lane).length, lane.sentCount]).toEqual(['ready', 0, 0]);
      expect(events).toEqual([{ type: 'retry', reason, userRecordCount: 2, delayMs: 0 }]);
      expect([...book.lanes()]).not.toContain(lane);
    },
  );

  test('from a shard that a newer map still does not explain comes back to the lane in service, which waits', () => {
    const { book, settler, events, told, put, send, left, textIn } = settlerOf();
    book.install(TWO, 0);
    const lane = put('a', ['1', '2']);
    settler.settle([send(lane, 1)], answered(storedIn('high')), 5);
    expect(lane.state).toBe('held');
    settler.mapInstalled(10);
    expect(told).toEqual([]);
    expect(left(lane).map(textIn)).toEqual(['1', '2']);
    expect(lane).toMatchObject({ state: 'backing-off', held: undefined, sentCount: 0, failures: 1 });
    expect(events).toEqual([{ type: 'retry', reason: 'wrong-shard', userRecordCount: 1, delayMs: 10 }]);
  });

  test('expires while it waits for a map, record by record at the deadline of each, and the rest keep their index', () => {
    const { book, settler, told, put, send, left } = settlerOf();
    const lane = put('a', ['1'], 0);
    for (const [text, putAtMs] of [
      ['2', 0],
      ['3', 100],
      ['4', 200],
    ] as const)
      put('a', [text], putAtMs);
    settler.settle([send(lane, 3)], answered(storedIn('low')), 5);
    settler.expireHeld(DEADLINE_MS - 1);
    expect(told).toEqual([]);
    settler.expireHeld(DEADLINE_MS);
    expect(told).toEqual([[['1', '2'], DEADLINE_MS]]);
    expect(lane).toMatchObject({ state: 'held', sentCount: 1, held: { firstIndex: 2 } });
    book.install(TWO, 1_050);
    settler.mapInstalled(1_050);
    expect(told[1]).toEqual(['3', 'low', 2]);
    settler.expireHeld(5_000);
    expect(told).toHaveLength(2);
    expect(left(lane)).toEqual([]);
  });

  test('is forgotten when all that waited for the map has expired, and the lane goes on', () => {
    const { settler, told, put, send, left } = settlerOf();
    const lane = put('a', ['1'], 0);
    put('a', ['2'], 0);
    settler.settle([send(lane, 1)], answered(storedIn('low')), 5);
    settler.expireHeld(DEADLINE_MS);
    expect(told).toEqual([[['1'], DEADLINE_MS]]);
    expect(lane).toMatchObject({ state: 'ready', sentCount: 0, held: undefined });
    settler.mapInstalled(DEADLINE_MS);
    send(lane, 1);
    settler.expireHeld(5_000);
    expect([told.length, left(lane).length, lane.sentCount]).toEqual([1, 1, 1]);
  });
});
