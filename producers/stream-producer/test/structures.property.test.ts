import { shardId } from '@twinstream/stream-model';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { UserRecord } from '../src/index.ts';
import { createLane, type Lane } from '../src/lane.ts';
import { createRecentKeys } from '../src/lane-book.ts';
import { createRetrier } from '../src/lane-scheduler.ts';
import { append, emptyQueue, first, itemAt, prepend, queueSize, takeAfter, takeFirst } from '../src/queue.ts';
import { createShardQueue } from '../src/shard-queues.ts';

const step = fc.oneof(
  fc.record({ kind: fc.constant('append' as const), count: fc.integer({ min: 1, max: 700 }) }),
  fc.record({ kind: fc.constant('prepend' as const), count: fc.integer({ min: 1, max: 50 }) }),
  fc.record({ kind: fc.constant('takeFirst' as const), count: fc.integer({ min: 0, max: 900 }) }),
  fc.record({ kind: fc.constant('takeAfter' as const), count: fc.integer({ min: 0, max: 900 }) }),
);

test('a queue does what an array does', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      const queue = emptyQueue<number>();
      let model: number[] = [];
      let next = 0;
      for (const { kind, count } of steps) {
        const fresh = Array.from({ length: count }, () => next++);
        if (kind === 'append') {
          for (const item of fresh) append(queue, item);
          model = [...model, ...fresh];
        } else if (kind === 'prepend') {
          prepend(queue, fresh);
          model = [...fresh, ...model];
        } else if (kind === 'takeFirst') {
          expect(takeFirst(queue, count)).toEqual(model.slice(0, count));
          model = model.slice(count);
        } else {
          expect(takeAfter(queue, count)).toEqual(model.slice(count));
          model = model.slice(0, count);
        }
        expect(queueSize(queue)).toBe(model.length);
        expect(first(queue)).toBe(model[0]);
        expect(itemAt(queue, model.length - 1)).toBe(model.at(-1));
        expect(queue.head).toBeLessThanOrEqual(Math.max(512, queue.items.length / 2 + 1));
      }
    }),
    // The example: emptied from its end, it still held what was taken from its start.
    {
      examples: [
        [
          [
            { kind: 'append', count: 2 },
            { kind: 'takeFirst', count: 1 },
            { kind: 'takeAfter', count: 0 },
          ],
        ],
      ],
    },
  );
});

test('a retrier returns each lane once, when it is due, earliest first', () => {
  const home = createShardQueue<UserRecord>(
    { shardId: shardId('shardId-0'), hashKeyRange: { start: 0n, end: 1n }, isOpen: true },
    { bytesPerSecond: 1, recordsPerSecond: 1 },
    0,
  );
  fc.assert(
    fc.property(
      fc.array(fc.nat(100), { maxLength: 60 }),
      fc.array(fc.nat(110), { maxLength: 20 }),
      (dueTimes, clock) => {
        const retrier = createRetrier<UserRecord>({ baseMs: 1, capMs: 1 }, () => 0);
        const dueOf = new Map<Lane<UserRecord>, number>();
        for (const dueAtMs of dueTimes) {
          const lane = createLane('d', home);
          dueOf.set(lane, dueAtMs);
          retrier.add(lane, dueAtMs);
        }
        const given: number[] = [];
        for (const nowMs of [...clock.sort((a, b) => a - b), 1_000]) {
          const due = retrier.takeDue(nowMs).map((lane) => dueOf.get(lane) ?? -1);
          for (const dueAtMs of due) expect(dueAtMs).toBeLessThanOrEqual(nowMs);
          given.push(...due);
          expect(retrier.nextDueAtMs ?? Number.POSITIVE_INFINITY).toBeGreaterThan(nowMs);
        }
        expect(given).toEqual([...dueTimes].sort((a, b) => a - b));
        expect(retrier.nextDueAtMs).toBeUndefined();
      },
    ),
  );
});

test('recent keys forget, and never mix up', () => {
  const recent = createRecentKeys<string>();
  for (let index = 0; index < 200_000; index += 1) recent.set(`device-${index}`, `value-${index}`);
  let known = 0;
  for (let index = 0; index < 200_000; index += 1) {
    const value = recent.get(`device-${index}`);
    if (value === undefined) continue;
    expect(value).toBe(`value-${index}`);
    known += 1;
  }
  expect(known).toBeGreaterThan(20_000);
  expect(known).toBeLessThanOrEqual(65_536);
  recent.clear();
  expect(recent.get('device-199999')).toBeUndefined();
});
