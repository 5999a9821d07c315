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
