import { contains, shardId } from '@twinstream/stream-model';
import { settled, virtualClock } from '@twinstream/test-kit';
import { describe, expect, test } from 'vitest';
import { createShardMapRefresher } from '../src/shard-map-reader.ts';
import { unhandledRejections } from './unhandled-rejections.ts';

const START_MS = 1_000;
const WHOLE = { start: 0n, end: 2n ** 128n - 1n };
const LISTING = { shards: [{ shardId: shardId('shardId-0'), hashKeyRange: WHOLE, isOpen: true }] };

/** A refresher whose waits are the longest that the jitter draws, and what it read and told. */
function refresher(list: (call: number) => Promise<typeof LISTING> = async () => LISTING) {
  const clock = virtualClock({ startMs: START_MS });
  const readsMs: number[] = [];
  const told: string[] = [];
  const stop = new AbortController();
  const transport = {
    putRecords: () => Promise.reject(new Error('no records')),
    listShards: () => {
      readsMs.push(clock.now() - START_MS);
      return list(readsMs.length);
    },
  };
  const { request } = createShardMapRefresher(
    {
      ...{ transport, clock, random: () => 1, stop: stop.signal },
      backoff: { baseMs: 100, capMs: 400 },
      requestTimeoutMs: 60_000,
    },
    (map) => told.push(contains(map.openShards[0]?.hashKeyRange ?? WHOLE, 7n) ? 'a map' : 'another map'),
    (error) => told.push(String(error)),
  );
  return { clock, stop, request, readsMs, told };
}

describe('a map that is read again', () => {
  test('is read once for all that ask meanwhile, and again for who asks later', async () => {
    const { clock, request, readsMs, told } = refresher();
    request();
    request();
    await clock.advance(0);
    expect([readsMs, told]).toEqual([[0], ['a map']]);
    await clock.advance(1_000);
    request();
    await clock.advance(1_000);
    expect([readsMs, told]).toEqual([
      [0, 1_000],
      ['a map', 'a map'],
    ]);
  });

  test('is read once more, after a wait, for who asks while it is read', async () => {
    const answers: (() => void)[] = [];
    const { clock, request, readsMs } = refresher(
      () => new Promise((resolve) => answers.push(() => resolve(LISTING))),
    );
    request();
    await clock.advance(10);
    request();
    request();
    expect(readsMs).toEqual([0]);
    answers[0]?.();
    await clock.advance(1_000);
    answers[1]?.();
    await clock.advance(1_000);
    expect(readsMs).toEqual([0, 110]);
  });

  test('is read until it succeeds, with waits that double up to their cap, and each failure is told', async () => {
    const { clock, request, readsMs, told } = refresher((call) =>
      call < 6 ? Promise.reject(new Error(`failure ${call}`)) : Promise.resolve(LISTING),
    );
    request();
    await clock.advance(10_000);
    expect(readsMs).toEqual([0, 100, 300, 700, 1_100, 1_500]);
    expect(told).toEqual([...[1, 2, 3, 4, 5].map((call) => `Error: failure ${call}`), 'a map']);
  });

  test('is not read any more after a stop, which rejects nothing: during a wait', async () => {
    const { clock, stop, request, readsMs, told } = refresher(() => Promise.reject(new Error('failure')));
    const unhandled = await unhandledRejections(async () => {
      request();
      await clock.advance(50);
      stop.abort();
      request();
      await clock.advance(1_000);
    });
    expect([readsMs, told, unhandled]).toEqual([[0], ['Error: failure'], []]);
  });

  test.each([
    ['with an answer', () => Promise.resolve(LISTING)],
    ['with a failure', () => Promise.reject(new Error('failure'))],
  ])('tells nobody after a stop: a read that ends %s', async (_, end) => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const { clock, stop, request, readsMs, told } = refresher(() => promise.then(end));
    request();
    await clock.advance(10);
    stop.abort();
    resolve();
    await clock.advance(1_000);
    expect([readsMs, told]).toEqual([[0], []]);
  });

  test('does not keep a clock quiet that fails', async () => {
    const failure = new Error('no clock');
    const transport = {
      putRecords: () => Promise.reject(new Error('no records')),
      listShards: () => Promise.reject(new Error('failure')),
    };
    let sleeps = 0;
    const sleep = () => {
      sleeps += 1;
      return sleeps === 1 ? new Promise<void>(() => undefined) : Promise.reject(failure);
    };
    const unhandled = await unhandledRejections(async () => {
      createShardMapRefresher(
        {
          ...{ transport, clock: { now: () => 0, sleep }, random: () => 1 },
          ...{ backoff: { baseMs: 100, capMs: 400 }, requestTimeoutMs: 60_000 },
          stop: new AbortController().signal,
        },
        () => undefined,
        () => undefined,
      ).request();
      await settled();
    });
    expect(unhandled).toEqual([failure]);
  });
});
