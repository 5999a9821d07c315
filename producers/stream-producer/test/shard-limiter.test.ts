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

test('after idleness no more than a tenth of a second passes at once', () => {
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
  test('of one burst are one lesson', () => {
    const limiter = createShardLimiter(RATES, 0);
    expect(limiter.throttled(1_000)).toBeCloseTo(0.85);
    expect(limiter.throttled(1_000)).toBeUndefined();
    expect(limiter.throttled(1_199)).toBeUndefined();
    expect(limiter.throttled(1_200)).toBeLessThan(0.75);
  });

  test('lower the rate, and time without one restores it within ten seconds', () => {
    const limiter = createShardLimiter(RATES, 0);
    for (let nowMs = 0; nowMs < 2_000; nowMs += 200) limiter.throttled(nowMs);
    const slowed = sendFor(limiter, 2_000, 3_000, 100);
    expect(slowed).toBeLessThan(300);
    expect(sendFor(limiter, 12_000, 13_000, 100)).toBeGreaterThan(950);
  });

  test('never stop a shard altogether', () => {
    const limiter = createShardLimiter(RATES, 0);
    for (let nowMs = 0; nowMs < 60_000; nowMs += 200) limiter.throttled(nowMs);
    expect(sendFor(limiter, 60_000, 61_000, 100)).toBeGreaterThan(15);
  });

  test.each([0.1, 0.3, 0.6])('teach the rate of a shard that gives %s of it, which is then used', (share) => {
    const limiter = createShardLimiter(RATES, 0);
    let accepted = 0;
    let refused = 0;
    let used = 0;
    for (let nowMs = 0; nowMs < 120_000; nowMs += 1) {
      if (nowMs % 1_000 === 0) used = 0;
      while (limiter.waitMs(nowMs) === 0) {
        limiter.take(100);
        used += 1;
        if (used <= 1_000 * share) accepted += 1;
        else {
          refused += 1;
          limiter.throttled(nowMs);
        }
      }
    }
    expect(accepted / 120).toBeGreaterThan(1_000 * share * 0.85);
    expect(refused / accepted).toBeLessThan(0.35);
  });
});

test('a shard without limits never makes anybody wait, and throttles do not break it', () => {
  const limiter = createShardLimiter({ bytesPerSecond: Infinity, recordsPerSecond: Infinity }, 0);
  limiter.take(1e9);
  expect(limiter.waitMs(0)).toBe(0);
  limiter.throttled(0);
  expect(limiter.waitMs(0)).toBe(0);
});
