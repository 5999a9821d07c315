import { seededRandom } from '@twinstream/test-kit';
import { describe, expect, test } from 'vitest';
import { createShardLimiter, type ShardLimiter } from '../src/shard-limiter.ts';

const RATES = { bytesPerSecond: 1_000_000, recordsPerSecond: 1_000 };

/** Sends records as fast as the limiter lets them through, and counts them. */
function sendFor(
  limiter: ShardLimiter,
  fromMs: number,
  toMs: number,
  bytes: number,
  onSent?: (nowMs: number) => void,
): number {
  let sent = 0;
  for (let nowMs = fromMs; nowMs < toMs; nowMs += 1) {
    while (limiter.waitMs(nowMs) === 0) {
      limiter.take(bytes);
      sent += 1;
      onSent?.(nowMs);
    }
  }
  return sent;
}

test('in no second does more pass than the rate and a tenth of it', () => {
  const limiter = createShardLimiter(RATES, 0);
  const times: number[] = [];
  sendFor(limiter, 0, 10_000, 100, (nowMs) => times.push(nowMs));
  for (let start = 0; start < 9_000; start += 50) {
    const inSecond = times.filter((time) => time >= start && time < start + 1_000).length;
    expect(inSecond).toBeLessThanOrEqual(1_101);
  }
  expect(times.length).toBeGreaterThan(9_990);
});

test('the rate of bytes holds where it is the smaller one', () => {
  const sent = sendFor(createShardLimiter(RATES, 0), 0, 10_000, 10_000);
  expect(sent).toBeGreaterThanOrEqual(1_000);
  expect(sent).toBeLessThanOrEqual(1_011);
});

test('a record larger than what gathers passes, and the next waits until it is paid for', () => {
  const limiter = createShardLimiter(RATES, 0);
  expect(limiter.waitMs(0)).toBe(0);
  limiter.take(1_000_000);
  expect(limiter.waitMs(0)).toBe(900);
  expect(limiter.waitMs(899)).toBeGreaterThan(0);
  expect(limiter.waitMs(901)).toBe(0);
});

test('after idleness no more than a tenth of a second passes in one burst', () => {
  const limiter = createShardLimiter(RATES, 0);
  sendFor(limiter, 0, 1_000, 100);
  expect(sendFor(limiter, 3_600_000, 3_600_001, 100)).toBeLessThanOrEqual(101);
});

test('a clock that jumps back neither stops nor floods the shard', () => {
  const limiter = createShardLimiter(RATES, 100_000);
  sendFor(limiter, 100_000, 101_000, 100);
  const sent = sendFor(limiter, 50_000, 60_000, 100);
  expect(sent).toBeGreaterThan(9_900);
  expect(sent).toBeLessThan(10_110);
});

describe('throttles', () => {
  /** Sends for a while to a shard that takes so much a second; returns what it took and refused. */
  function sendTo(
    limiter: ShardLimiter,
    fromMs: number,
    toMs: number,
    takes: (usedInSecond: number) => boolean,
  ) {
    const counts = { accepted: 0, refused: 0 };
    let used = 0;
    for (let nowMs = fromMs; nowMs < toMs; nowMs += 1) {
      if (nowMs % 1_000 === 0) used = 0;
      while (limiter.waitMs(nowMs) === 0) {
        limiter.take(100);
        const isTaken = takes(used);
        if (isTaken) used += 1;
        counts[isTaken ? 'accepted' : 'refused'] += 1;
        limiter.answered(!isTaken, nowMs);
      }
    }
    return counts;
  }

  test.each([0.05, 0.2, 0.6])(
    'lower the rate to that of a shard that offers %s of it, which is then used',
    (share) => {
      const limiter = createShardLimiter(RATES, 0);
      sendTo(limiter, 0, 20_000, (used) => used < 1_000 * share);
      const { accepted, refused } = sendTo(limiter, 20_000, 120_000, (used) => used < 1_000 * share);
      expect(accepted / 100).toBeGreaterThan(1_000 * share * 0.9);
      expect(refused / accepted).toBeLessThan(0.3);
    },
  );

  test('that have nothing to do with the rate do not lower it', () => {
    const random = seededRandom(5).next;
    const limiter = createShardLimiter(RATES, 0);
    const { accepted, refused } = sendTo(limiter, 0, 60_000, () => random() >= 0.1);
    expect((accepted + refused) / 60).toBeGreaterThan(990);
  });

  test('of everything slow a shard down to a trickle, and never stop it', () => {
    const limiter = createShardLimiter(RATES, 0);
    sendTo(limiter, 0, 20_000, () => false);
    const { refused } = sendTo(limiter, 20_000, 30_000, () => false);
    expect(refused / 10).toBeLessThan(80);
    expect(refused / 10).toBeGreaterThan(15);
  });

  test('are forgotten within ten seconds without one', () => {
    const limiter = createShardLimiter(RATES, 0);
    sendTo(limiter, 0, 5_000, () => false);
    sendTo(limiter, 5_000, 15_500, () => true);
    expect(sendTo(limiter, 16_000, 17_000, () => true).accepted).toBeGreaterThan(990);
  });

  test('few of them change nothing, however large their fraction', () => {
    const limiter = createShardLimiter(RATES, 0);
    for (let nowMs = 0; nowMs < 19_000; nowMs += 1_000) expect(limiter.answered(true, nowMs)).toBeUndefined();
    expect(limiter.answered(true, 20_000)).toBeLessThan(1);
  });
});

describe('the figures of the limiter', () => {
  /** One sampling window of 20 answers that ends at this time. */
  function window(limiter: ShardLimiter, throttled: number, nowMs: number): number | undefined {
    for (let index = 1; index < 20; index += 1) {
      expect(limiter.answered(index <= throttled, nowMs)).toBeUndefined();
    }
    return limiter.answered(throttled === 20, nowMs);
  }
  function take(limiter: ShardLimiter, count: number, bytes: number): void {
    for (let index = 0; index < count; index += 1) limiter.take(bytes);
  }

  test.each([
    ['records that use up the burst', 100, 1, 1],
    ['half a burst of records more', 150, 1, 50],
    ['bytes that use up the burst', 1, 100_000, 1],
    ['as many bytes again', 2, 100_000, 100],
    ['a byte less than the burst', 1, 99_999, 0],
  ])('%s: %i records of %i bytes make the next wait %i ms', (_, count, bytes, waitMs) => {
    const limiter = createShardLimiter(RATES, 0);
    take(limiter, count, bytes);
    expect(limiter.waitMs(0)).toBe(waitMs);
    expect(limiter.waitMs(Math.max(0, waitMs - 1)) > 0).toBe(waitMs > 0);
    expect(limiter.waitMs(waitMs + 1)).toBe(0);
  });

  test('a window closes after half a second, and its throttled fraction lowers the share', () => {
    const limiter = createShardLimiter(RATES, 0);
    for (let index = 0; index < 19; index += 1) limiter.answered(index < 4, 100);
    expect(limiter.answered(false, 499)).toBeUndefined();
    // 4 of 21.
    expect(limiter.answered(false, 500)).toBeCloseTo(1 - 4 / 21, 10);
  });

  test.each([
    [3, undefined],
    [4, 0.8],
    [12, 0.4],
    [20, 0.4],
  ])('%i throttles of 20 answers lower the share to %s', (throttled, share) => {
    const lowered = window(createShardLimiter(RATES, 0), throttled, 500);
    if (share === undefined) expect(lowered).toBeUndefined();
    else expect(lowered).toBeCloseTo(share, 10);
  });

  test('the share grows by a hundredth of (t + t²) in t seconds, up to the whole rate', () => {
    const limiter = createShardLimiter(RATES, 0);
    expect(window(limiter, 4, 500)).toBeCloseTo(0.8, 10);
    expect(window(limiter, 4, 2_500)).toBeCloseTo((0.8 + 0.01 * (2 + 4)) * 0.8, 10);
    expect(window(limiter, 4, 62_500)).toBeCloseTo(0.8, 10);
  });

  test('the share is two hundredths at least', () => {
    const limiter = createShardLimiter(RATES, 0);
    const shares = [1, 2, 3, 4, 5, 6, 7, 8, 9].map((turn) => window(limiter, 20, turn * 500));
    expect(shares.at(-1)).toBeCloseTo(0.02, 10);
    expect(Math.min(...shares.map((share) => share ?? 1))).toBeCloseTo(0.02, 10);
  });

  test('a lower share makes tokens come more slowly, and fewer of them gather', () => {
    const limiter = createShardLimiter(RATES, 0);
    expect(window(limiter, 20, 500)).toBeCloseTo(0.4, 10);
    expect(limiter.waitMs(500)).toBe(0);
    take(limiter, 140, 1);
    expect(limiter.waitMs(500)).toBe(250);
    expect(sendFor(limiter, 1_000, 1_001, 1)).toBe(41);
  });

  test('a window that began before the clock jumped back is forgotten', () => {
    const limiter = createShardLimiter(RATES, 10_000);
    for (let index = 0; index < 19; index += 1) limiter.answered(true, 10_100);
    expect(limiter.answered(true, 9_000)).toBeUndefined();
    for (let index = 0; index < 19; index += 1) expect(limiter.answered(false, 9_100)).toBeUndefined();
    expect(limiter.answered(false, 9_499)).toBeUndefined();
    expect(limiter.answered(false, 9_500)).toBeUndefined();
  });

  test('no share grows while the clock stands before its decrease', () => {
    const limiter = createShardLimiter(RATES, 10_000);
    expect(window(limiter, 20, 10_500)).toBeCloseTo(0.4, 10);
    limiter.answered(false, 9_000);
    expect(window(limiter, 20, 9_600)).toBeCloseTo(0.16, 10);
  });
});

test('a shard without limits never makes anybody wait, and throttles do not break it', () => {
  const limiter = createShardLimiter({ bytesPerSecond: Infinity, recordsPerSecond: Infinity }, 0);
  limiter.take(1e9);
  expect(limiter.waitMs(0)).toBe(0);
  for (let nowMs = 0; nowMs < 5_000; nowMs += 1) limiter.answered(true, nowMs);
  expect(limiter.waitMs(5_000)).toBe(0);
});

test('a clock that runs backward takes nothing away', () => {
  const limiter = createShardLimiter(RATES, 10_000);
  expect([limiter.waitMs(10_000), limiter.waitMs(1_000)]).toEqual([0, 0]);
});
