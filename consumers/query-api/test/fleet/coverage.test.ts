import { deviceId } from '@twinstream/device-model';
import { sequenceNumber, shardId } from '@twinstream/stream-model';
import { describe, expect, test } from 'vitest';
import { createCoverage } from '../../src/fleet/coverage.ts';

const A = shardId('shardId-000000000000');
const B = shardId('shardId-000000000001');
const progress = (entries: Record<string, number>) =>
  new Map(Object.entries(entries).map(([shard, number]) => [shardId(shard), sequenceNumber(String(number))]));
const hints = (from: number, records: Record<number, string>, atTip = true, shard = A) => ({
  shardId: shard,
  from: sequenceNumber(String(from)),
  records: Object.entries(records).map(([number, id]) => ({
    sequenceNumber: sequenceNumber(number),
    arrivalTime: 0,
    deviceIds: [deviceId(id)],
  })),
  atTip,
});

describe('coverage', () => {
  test('grows by hints that join what was read', () => {
    const coverage = createCoverage();
    coverage.noteReading(progress({ [A]: 100 }));
    coverage.addHints(hints(90, { 95: 'x', 105: 'y', 110: 'z' }), 0);
    const due = coverage.take(progress({ [A]: 107 }));
    expect([...due.deviceIds]).toEqual(['x', 'y']);
    expect(coverage.holds(progress({ [A]: 107 }), 0)).toBe(false);
    due.settle();
    expect(coverage.holds(progress({ [A]: 107 }), 0)).toBe(true);
    expect(coverage.vector.get(A)).toBe('107');
    expect([...coverage.take(progress({ [A]: 110 })).deviceIds]).toEqual(['z']);
  });

  test('does not grow over a gap until the table is read behind it', () => {
    const coverage = createCoverage();
    coverage.noteReading(progress({ [A]: 100 }));
    coverage.addHints(hints(200, { 210: 'x' }), 0);
    coverage.take(progress({ [A]: 210 })).settle();
    expect(coverage.vector.get(A)).toBe('100');
    coverage.noteReading(progress({ [A]: 205 }));
    coverage.addHints(hints(200, {}), 0);
    coverage.take(progress({ [A]: 215 })).settle();
    expect(coverage.vector.get(A)).toBe('215');
  });

  test('does not claim what a reader behind the tip has not seen', () => {
    const coverage = createCoverage();
    coverage.noteReading(progress({ [A]: 100 }));
    coverage.addHints(hints(100, { 110: 'x' }, false), 0);
    coverage.take(progress({ [A]: 150 })).settle();
    expect(coverage.vector.get(A)).toBe('110');
    coverage.addHints(hints(100, { 140: 'y' }, true), 0);
    coverage.take(progress({ [A]: 150 })).settle();
    expect(coverage.vector.get(A)).toBe('150');
  });

  test('does not claim what was finished while a shard was not heard of', () => {
    const coverage = createCoverage();
    coverage.noteReading(progress({ [A]: 100 }));
    coverage.addHints(hints(100, {}), 0);
    coverage.take(progress({ [A]: 110 })).settle();
    coverage.take(progress({ [A]: 120 })).settle();
    expect(coverage.vector.get(A)).toBe('110');
  });

  test('follows a new shard from its beginning without a reading', () => {
    const coverage = createCoverage();
    coverage.addHints(hints(0, { 5: 'x' }, true, B), 0);
    coverage.take(progress({ [B]: 7 })).settle();
    expect(coverage.holds(progress({ [B]: 7 }), 0)).toBe(true);
  });

  test('drops the oldest hints when too many wait, and knows that it did', () => {
    const coverage = createCoverage(2);
    coverage.noteReading(progress({ [A]: 100 }));
    coverage.addHints(hints(100, { 110: 'x', 120: 'y', 130: 'z' }), 0);
    const due = coverage.take(progress({ [A]: 130 }));
    expect([...due.deviceIds]).toEqual(['y', 'z']);
    due.settle();
    expect(coverage.vector.get(A)).toBe('100');
  });

  test('doubts a progress that leaves a hint waiting for too long', () => {
    const coverage = createCoverage();
    coverage.noteReading(progress({ [A]: 100 }));
    coverage.addHints(hints(100, { 110: 'x' }), 1_000);
    coverage.take(progress({ [A]: 100 })).settle();
    expect(coverage.holds(progress({ [A]: 100 }), 10_000)).toBe(true);
    expect(coverage.holds(progress({ [A]: 100 }), 20_000)).toBe(false);
  });
});
