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

test('a shard without limits never makes anybody wait, and throttles do not break it', () => {
  const limiter = createShardLimiter({ bytesPerSecond: Infinity, recordsPerSecond: Infinity }, 0);
  limiter.take(1e9);
  expect(limiter.waitMs(0)).toBe(0);
  for (let nowMs = 0; nowMs < 5_000; nowMs += 1) limiter.answered(true, nowMs);
  expect(limiter.waitMs(0)).toBe(0);
});
