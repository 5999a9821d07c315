import { HASH_KEY_MAX, type Shard, shardId, shardMap, toHashKeyHex } from '@twinstream/stream-model';
import { describe, expect, test } from 'vitest';
import type { UserRecord } from '../src/index.ts';
import {
  AGGREGATED_RECORD_OVERHEAD_BYTES,
  appendToLane,
  clearSuspects,
  createLane,
  isBlocked,
  type Lane,
  prependToLane,
  sentRecords,
  takeFromLane,
  takePutBefore,
  takeUnsent,
} from '../src/lane.ts';
import type { LaneBook } from '../src/lane-book.ts';
import { createLaneScheduler, createRetrier } from '../src/lane-scheduler.ts';
import type { PendingRecord } from '../src/pending-record.ts';
import {
  createShardQueue,
  dropReadyLane,
  makeReady,
  nextReadyLane,
  shardQueueFor,
  shardQueuesFor,
} from '../src/shard-queues.ts';

const RATES = { bytesPerSecond: 1, recordsPerSecond: 1 };
const shard = (name: string, start: bigint, end: bigint): Shard => ({
  shardId: shardId(name),
  hashKeyRange: { start, end },
  isOpen: true,
});
const queueOf = () => createShardQueue<UserRecord>(shard('shardId-0', 0n, HASH_KEY_MAX), RATES, 0);

function pending(name: string, bytes: number, putAtMs = 0): PendingRecord<UserRecord> {
  const record = { partitionKey: 'd', data: Buffer.from(name) };
  const rest = { generation: { pendingCount: 1 }, attempts: 0, possiblyStored: false, failure: undefined };
  return { record, onOutcome: undefined, putAtMs, bytes, ...rest };
}
const names = (records: readonly PendingRecord<UserRecord>[]) =>
  records.map(({ record }) => Buffer.from(record.data).toString());

function laneWith(...records: readonly PendingRecord<UserRecord>[]): Lane<UserRecord> {
  const lane = createLane('lane-00', queueOf());
  for (const one of records) appendToLane(lane, one);
  return lane;
}

describe('a lane', () => {
  test('counts the bytes of all that it holds, and what aggregation may add to each', () => {
    const bytes = (...sizes: readonly number[]) =>
      sizes.reduce((sum, size) => sum + size + AGGREGATED_RECORD_OVERHEAD_BYTES, 0);
    const lane = laneWith(pending('1', 10), pending('2', 20), pending('3', 30));
    expect(lane.queuedBytes).toBe(bytes(10, 20, 30));
    expect(names(takeFromLane(lane, 1))).toEqual(['1']);
    expect(lane.queuedBytes).toBe(bytes(20, 30));
    prependToLane(lane, [pending('0', 5), pending('1', 7)]);
    expect(lane.queuedBytes).toBe(bytes(5, 7, 20, 30));
    lane.sentCount = 1;
    expect(names(sentRecords(lane))).toEqual(['0']);
    expect(names(takeUnsent(lane))).toEqual(['1', '2', '3']);
    expect(lane.queuedBytes).toBe(bytes(5));
  });

  test('takes nothing back before what it has in flight', () => {
    const lane = laneWith(pending('1', 10));
    lane.sentCount = 1;
    expect(() => prependToLane(lane, [pending('0', 5)])).toThrow('has records in flight');
  });

  test('gives up its first records, as far as they were put at a time or before', () => {
    const lane = laneWith(pending('1', 1, 100), pending('2', 1, 200), pending('3', 1, 150));
    expect(takePutBefore(lane, 99)).toEqual([]);
    expect(names(takePutBefore(lane, 100))).toEqual(['1']);
    expect(names(takePutBefore(lane, 199))).toEqual([]);
    expect(names(takePutBefore(lane, 200))).toEqual(['2', '3']);
    expect(takePutBefore(lane, 1_000)).toEqual([]);
    expect(lane.queuedBytes).toBe(0);
  });

  test('is suspect until all its suspects have left', () => {
    const lane = laneWith();
    Object.assign(lane, { suspicion: 'alone', suspectCount: 3 });
    clearSuspects(lane, 2);
    expect(lane).toMatchObject({ suspicion: 'alone', suspectCount: 1 });
    clearSuspects(lane, 2);
    expect(lane).toMatchObject({ suspicion: 'none', suspectCount: 0 });
  });

  test('is blocked while one of its blockers is left', () => {
    const lane = laneWith();
    expect(isBlocked(lane)).toBe(false);
    const blocker = laneWith();
    lane.blockers = new Set([blocker]);
    expect(isBlocked(lane)).toBe(true);
    lane.blockers.delete(blocker);
    expect(isBlocked(lane)).toBe(false);
  });
});

describe('the queue of a shard', () => {
  test('names the first lane that is still ready, its own and in service, until it is dropped', () => {
    const queue = queueOf();
    const lanes = [1, 2, 3, 4, 5].map((number) => createLane(`lane-0${number}`, queue));
    for (const lane of lanes) makeReady(lane);
    const [sent, moved, retired, ready, next] = lanes;
    if (!sent || !moved || !retired || !ready || !next) throw new Error('five lanes');
    sent.state = 'sent';
    moved.home = queueOf();
    retired.isRetired = true;
    expect(nextReadyLane(queue)).toBe(ready);
    expect(nextReadyLane(queue)).toBe(ready);
    dropReadyLane(queue);
    expect(nextReadyLane(queue)).toBe(next);
    dropReadyLane(queue);
    expect(nextReadyLane(queue)).toBeUndefined();
  });

  test('stays with its shard while the range of the shard is the same', () => {
    const before = shardQueuesFor<UserRecord>(
      shardMap([shard('a', 0n, 9n), shard('b', 10n, 19n), shard('c', 20n, HASH_KEY_MAX)]),
      RATES,
      0,
    );
    const map = shardMap([shard('a', 0n, 9n), shard('b', 10n, 18n), shard('c', 19n, HASH_KEY_MAX)]);
    const { list } = shardQueuesFor(map, RATES, 0, before);
    expect(list[0]).toBe(before.list[0]);
    expect(list[1]).not.toBe(before.list[1]);
    expect(list[2]).not.toBe(before.list[2]);
    expect(list.map(({ explicitHashKey }) => explicitHashKey)).toEqual(['0', '10', '19']);
  });

  test.each([1, 2, 3, 4, 5])('is found by a hash key among %i shards, at both ends of its range', (count) => {
    const shards = Array.from({ length: count }, (_, index) =>
      shard(`s${index}`, BigInt(index * 10), index === count - 1 ? HASH_KEY_MAX : BigInt(index * 10 + 9)),
    );
    const queues = shardQueuesFor<UserRecord>(shardMap(shards), RATES, 0);
    for (const { shardId: id, hashKeyRange } of shards) {
      for (const key of [hashKeyRange.start, hashKeyRange.end]) {
        expect(shardQueueFor(queues, toHashKeyHex(key)).shard.shardId).toBe(id);
      }
    }
  });
});

describe('the scheduler of lanes', () => {
  /** Lanes linger for 50 ms, three of them are enough, and a retry waits for half of its backoff. */
  function schedulerOf({ isFlushing = false } = {}) {
    const seen = { readyCalls: 0, dropped: [] as Lane<UserRecord>[], full: new Set<Lane<UserRecord>>() };
    const retrier = createRetrier<UserRecord>({ baseMs: 100, capMs: 800 }, () => 0.5);
    const scheduler = createLaneScheduler<UserRecord>({
      book: {
        isFull: (lane: Lane<UserRecord>) => seen.full.has(lane),
        drop: (lane: Lane<UserRecord>) => seen.dropped.push(lane),
      } as unknown as LaneBook<UserRecord>,
      retrier,
      lingerMs: 50,
      lingeringLanesMax: 3,
      isFlushing: () => isFlushing,
      onReady: () => {
        seen.readyCalls += 1;
      },
    });
    return { scheduler, seen, retrier };
  }
  const putAt = (timeMs: number) => laneWith(pending('1', 1, timeMs));

  test('lets a lane without records go', () => {
    const { scheduler, seen } = schedulerOf();
    const lane = laneWith();
    lane.state = 'sent';
    scheduler.schedule(lane, 0);
    expect(lane.state).toBe('idle');
    expect(seen).toMatchObject({ dropped: [lane], readyCalls: 0 });
    expect(scheduler.nextAtMs).toBeUndefined();
  });

  test('keeps a blocked lane from sending, and does not let it go', () => {
    const { scheduler, seen } = schedulerOf({ isFlushing: true });
    const lane = laneWith();
    lane.blockers = new Set([laneWith()]);
    scheduler.schedule(lane, 0);
    expect(lane.state).toBe('blocked');
    appendToLane(lane, pending('1', 1));
    scheduler.grew(lane, 1_000);
    expect(lane.state).toBe('blocked');
    expect(seen).toMatchObject({ dropped: [], readyCalls: 0 });
  });

  test('lets a lane linger from the time of its oldest record', () => {
    const { scheduler, seen } = schedulerOf();
    const lane = putAt(100);
    scheduler.schedule(lane, 120);
    expect([lane.state, scheduler.nextAtMs, seen.readyCalls]).toEqual(['lingering', 150, 0]);
    scheduler.advance(149);
    expect(lane.state).toBe('lingering');
    scheduler.advance(150);
    expect([lane.state, scheduler.nextAtMs]).toEqual(['ready', undefined]);
    expect(nextReadyLane(lane.home)).toBe(lane);
  });

  test.each([
    ['149 ms', 149, 'lingering', 0],
    ['150 ms', 150, 'ready', 1],
  ])('a lane whose oldest record was put at 100 ms is at %s %s', (_, nowMs, state, readyCalls) => {
    const { scheduler, seen } = schedulerOf();
    const lane = putAt(100);
    scheduler.schedule(lane, nowMs);
    expect([lane.state, seen.readyCalls]).toEqual([state, readyCalls]);
  });

  test('lets nothing linger while a flush runs, nor a full lane', () => {
    const flushing = schedulerOf({ isFlushing: true });
    const lane = putAt(0);
    flushing.scheduler.schedule(lane, 0);
    expect([lane.state, flushing.seen.readyCalls]).toEqual(['ready', 1]);
    const { scheduler, seen } = schedulerOf();
    const full = putAt(0);
    seen.full.add(full);
    scheduler.schedule(full, 0);
    expect([full.state, seen.readyCalls]).toEqual(['ready', 1]);
  });

  test('makes a lane that lingers ready when it becomes full, and no other that grows', () => {
    const { scheduler, seen } = schedulerOf();
    const lane = putAt(0);
    scheduler.grew(lane, 0);
    scheduler.grew(lane, 10);
    expect([lane.state, seen.readyCalls]).toEqual(['lingering', 0]);
    seen.full.add(lane);
    scheduler.grew(lane, 10);
    expect([lane.state, seen.readyCalls]).toEqual(['ready', 1]);
    for (const state of ['sent', 'held', 'backing-off', 'blocked'] as const) {
      lane.state = state;
      scheduler.grew(lane, 10);
      expect(lane.state).toBe(state);
    }
    expect(seen.readyCalls).toBe(1);
  });

  test('makes all lanes that linger ready once they are enough, but none that has left or is retired', () => {
    const { scheduler, seen } = schedulerOf();
    const lanes = [putAt(30), putAt(10), putAt(20)];
    const [first, left, retired] = lanes;
    if (!first || !left || !retired) throw new Error('three lanes');
    scheduler.schedule(first, 30);
    scheduler.schedule(left, 30);
    scheduler.advance(30);
    expect([first.state, seen.readyCalls, scheduler.nextAtMs]).toEqual(['lingering', 0, 60]);
    scheduler.schedule(retired, 30);
    expect([seen.readyCalls, scheduler.nextAtMs]).toEqual([1, 60]);
    left.state = 'sent';
    retired.isRetired = true;
    scheduler.advance(30);
    expect(lanes.map(({ state }) => state)).toEqual(['ready', 'sent', 'lingering']);
    expect(scheduler.nextAtMs).toBeUndefined();
    // Those who lingered are forgotten: three more are enough again, and not two.
    const next = [putAt(30), putAt(30)];
    for (const lane of next) scheduler.schedule(lane, 30);
    scheduler.advance(30);
    expect(next.map(({ state }) => state)).toEqual(['lingering', 'lingering']);
    expect(seen.readyCalls).toBe(1);
  });

  test('makes a lane ready when its retry is due, unless it is retired or has left', () => {
    const { scheduler } = schedulerOf();
    const lanes = [putAt(0), putAt(0), putAt(0)];
    const [due, left, retired] = lanes;
    if (!due || !left || !retired) throw new Error('three lanes');
    for (const lane of lanes) scheduler.backOff(lane, 500);
    expect([due.state, scheduler.nextAtMs]).toEqual(['backing-off', 500]);
    scheduler.advance(499);
    expect(due.state).toBe('backing-off');
    left.state = 'held';
    retired.isRetired = true;
    scheduler.advance(500);
    expect(lanes.map(({ state }) => state)).toEqual(['ready', 'held', 'backing-off']);
  });

  test('names the earlier of what lingers and what waits for its retry', () => {
    const { scheduler } = schedulerOf();
    scheduler.backOff(putAt(0), 140);
    scheduler.schedule(putAt(100), 100);
    expect(scheduler.nextAtMs).toBe(140);
    scheduler.schedule(putAt(80), 100);
    expect(scheduler.nextAtMs).toBe(130);
  });

  test('doubles the longest wait with each failure in a row, from that of the backoff on', () => {
    const { retrier } = schedulerOf();
    expect([1, 2, 3, 4, 5].map((failures) => retrier.delayMs(failures))).toEqual([50, 100, 200, 400, 400]);
  });
});
