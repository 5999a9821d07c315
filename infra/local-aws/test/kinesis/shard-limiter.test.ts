import { describe, expect, it } from 'vitest';
import { admitRead, admitRecord, chargeRead, shardLimiter } from '../../src/kinesis/shard-limiter.ts';

const MIB = 1024 * 1024;

function admitted(count: number, admit: () => boolean): number {
  return Array.from({ length: count }, admit).filter(Boolean).length;
}

describe('records into a shard', () => {
  it('takes a second of records immediately, then a thousand a second', () => {
    const limiter = shardLimiter(0);
    expect(admitted(3000, () => admitRecord(limiter, 10, 0))).toBe(1000);
    expect(admitted(3000, () => admitRecord(limiter, 10, 500))).toBe(500);
    expect(admitted(3000, () => admitRecord(limiter, 10, 10_000))).toBe(1000);
  });

  it('takes a second of bytes immediately, then 1 MiB a second', () => {
    const limiter = shardLimiter(0);
    expect(admitted(100, () => admitRecord(limiter, MIB / 16, 0))).toBe(16);
    expect(admitted(100, () => admitRecord(limiter, MIB / 16, 250))).toBe(4);
  });

  it('refuses a long record and takes a shorter one behind it', () => {
    const limiter = shardLimiter(0);
    expect(admitRecord(limiter, MIB - 100, 0)).toBe(true);
    expect(admitRecord(limiter, 200, 0)).toBe(false);
    expect(admitRecord(limiter, 100, 0)).toBe(true);
  });

  it('takes a record longer than a second of bytes when it is at rest, and then pays it back', () => {
    const limiter = shardLimiter(0);
    expect(admitRecord(limiter, 3 * MIB, 0)).toBe(true);
    expect(admitRecord(limiter, 1, 1999)).toBe(false);
    expect(admitRecord(limiter, 1, 2001)).toBe(true);
  });

  it('gives nothing for a clock that steps back', () => {
    const limiter = shardLimiter(10_000);
    expect(admitted(2000, () => admitRecord(limiter, 1, 10_000))).toBe(1000);
    expect(admitRecord(limiter, 1, 5_000)).toBe(false);
    expect(admitted(2000, () => admitRecord(limiter, 1, 5_100))).toBe(100);
  });
});

describe('reads of a shard', () => {
  it('admits five immediately, then one every 200 ms', () => {
    const limiter = shardLimiter(0);
    expect(admitted(9, () => admitRead(limiter, 0))).toBe(5);
    expect(admitRead(limiter, 199)).toBe(false);
    expect(admitRead(limiter, 200)).toBe(true);
    expect(admitRead(limiter, 200)).toBe(false);
  });

  it('refuses reads for 5 s after one of 10 MiB', () => {
    const limiter = shardLimiter(0);
    expect(admitRead(limiter, 0)).toBe(true);
    chargeRead(limiter, 10 * MIB);
    expect(admitRead(limiter, 4_999)).toBe(false);
    expect(admitRead(limiter, 5_000)).toBe(true);
  });

  it('lets 2 MiB a second through without a refusal', () => {
    const limiter = shardLimiter(0);
    const read = (nowMs: number) => {
      if (!admitRead(limiter, nowMs)) return false;
      chargeRead(limiter, MIB / 2);
      return true;
    };
    expect(Array.from({ length: 40 }, (_, index) => read(index * 250)).every(Boolean)).toBe(true);
  });
});
