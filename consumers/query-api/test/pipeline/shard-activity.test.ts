import { deviceId } from '@twinstream/device-model';
import { type SequenceNumber, sequenceNumber, shardId } from '@twinstream/stream-model';
import { virtualClock } from '@twinstream/test-kit';
import { describe, expect, test } from 'vitest';
import type { ChangeFeed, ShardHints } from '../../src/fleet/change-feed.ts';
import { followedStreamReader } from '../../src/pipeline/followed-stream-reader.ts';
import { createShardActivity } from '../../src/pipeline/shard-activity.ts';

const A = shardId('shardId-000000000000');
const number = (value: number): SequenceNumber => sequenceNumber(String(value));

function fixture() {
  const clock = virtualClock();
  const activity = createShardActivity(clock);
  let next: ShardHints[] = [];
  const inner: ChangeFeed = { poll: async () => next, restart: () => undefined };
  const feed = activity.observe(inner);
  /** Polls once; the records arrived so many milliseconds ago. */
  const poll = (finished: number, from: number, records: Record<number, number>, atTip = true) => {
    next = [
      {
        shardId: A,
        from: number(from),
        atTip,
        records: Object.entries(records).map(([at, agoMs]) => ({
          sequenceNumber: sequenceNumber(at),
          arrivalTime: clock.now() - agoMs,
          deviceIds: [deviceId('d')],
        })),
      },
    ];
    return feed.poll(new Map([[A, number(finished)]]));
  };
  return { clock, activity, feed, poll };
}

describe('shard activity', () => {
  test('knows the age of the first record that is not finished', async () => {
    const { activity, poll, clock } = fixture();
    await poll(100, 100, { 110: 3_000, 120: 1_000 });
    expect(activity.lag(A, number(100))?.lagMs).toBe(3_000);
    expect(activity.lag(A, number(110))?.lagMs).toBe(1_000);
    await clock.advance(500);
    expect(activity.lag(A, number(110))?.lagMs).toBe(1_500);
    expect(activity.lag(A, number(120))?.lagMs).toBe(0);
  });

  test('counts what was put before its last poll began, and says when that was', async () => {
    const { activity, feed, poll, clock } = fixture();
    await poll(100, 100, { 110: 3_000 });
    const pollTime = clock.now();
    await clock.advance(2_000);
    expect(activity.lag(A, number(110))).toEqual({
      lagMs: 0,
      asOf: pollTime,
      records: { count: 0, hasMore: false },
    });
    feed.restart();
    expect(activity.lag(A, number(110))).toBeUndefined();
  });

  test('does not call a shard finished of which there is more to read', async () => {
    const { activity, poll } = fixture();
    await poll(100, 100, {}, false);
    expect(activity.lag(A, number(100))).toBeUndefined();
  });

  test('knows nothing before it began, nor of a shard that is not followed any more', async () => {
    const { activity, poll, clock, feed } = fixture();
    await poll(100, 100, {});
    expect(activity.lag(A, number(90))).toBeUndefined();
    expect(activity.lag(A, undefined)).toBeUndefined();
    await clock.advance(5_001);
    expect(activity.lag(A, number(100))).toBeUndefined();
    await poll(100, 100, {});
    expect(activity.lag(A, number(100))?.lagMs).toBe(0);
    feed.restart();
    expect(activity.lag(A, number(100))).toBeUndefined();
  });

  test('follows a shard without progress from its beginning', async () => {
    const { activity, poll } = fixture();
    await poll(0, 0, { 5: 2_000 });
    expect(activity.lag(A, undefined)?.lagMs).toBe(2_000);
  });

  test('counts what arrived in the last ten seconds', async () => {
    const { activity, poll, clock } = fixture();
    await poll(100, 100, {});
    expect(activity.recordsPerSecond(A)).toBeUndefined();
    for (let second = 0; second < 20; second += 1) {
      await clock.advance(1_000);
      await poll(100, 100, { [200 + 2 * second]: 600, [201 + 2 * second]: 100 });
    }
    expect(activity.recordsPerSecond(A)).toBe(2);
    for (let second = 0; second < 5; second += 1) {
      await clock.advance(1_000);
      await poll(300, 100, {});
    }
    expect(activity.recordsPerSecond(A)).toBe(1);
  });

  test('counts what waits, and what was processed in the last ten seconds', async () => {
    const { activity, poll, clock } = fixture();
    await poll(100, 100, { 101: 10, 102: 10, 103: 10, 104: 10 });
    expect(activity.lag(A, number(100))?.records).toEqual({ count: 4, hasMore: false });
    expect(activity.processedPerSecond(A)).toBeUndefined();
    await clock.advance(2_000);
    await poll(103, 100, {}, false);
    expect(activity.lag(A, number(103))?.records).toEqual({ count: 1, hasMore: true });
    expect(activity.processedPerSecond(A)).toBe(1.5);
    for (let second = 0; second < 11; second += 1) {
      await clock.advance(1_000);
      await poll(103, 100, {});
    }
    expect(activity.processedPerSecond(A)).toBe(0);
  });

  test('spares the stream wherever it suffices', async () => {
    const { activity, poll, clock } = fixture();
    let directReads = 0;
    const reader = followedStreamReader({
      activity,
      direct: {
        describe: async () => ({ retentionHours: 168, shards: [] }),
        lag: async () => {
          directReads += 1;
          return { lagMs: 7, asOf: clock.now() };
        },
        recordsPerSecond: async () => {
          directReads += 1;
          return 8;
        },
      },
    });
    expect([(await reader.lag(A, number(100))).lagMs, await reader.recordsPerSecond(A)]).toEqual([7, 8]);
    for (let second = 0; second < 3; second += 1) {
      await poll(100, 100, {});
      await clock.advance(1_000);
    }
    directReads = 0;
    expect([(await reader.lag(A, number(100))).lagMs, await reader.recordsPerSecond(A)]).toEqual([0, 0]);
    expect(directReads).toBe(0);
  });
});
