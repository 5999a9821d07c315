import { describe, expect, test } from 'vitest';
import { type ReplayFlags, readSpec } from '../../src/replay/replay-spec.ts';

const HOUR_MS = 3_600_000;
const NOW = Date.parse('2026-11-23T12:00:00Z');
const OLD_STREAM = { createdMs: 0, retentionMs: 168 * HOUR_MS };
const YOUNG_STREAM = { createdMs: NOW - HOUR_MS, retentionMs: 168 * HOUR_MS };

const spec = (flags: Partial<ReplayFlags>, stream = OLD_STREAM) =>
  readSpec(
    { source: 'auto', from: 'PT2H', ...flags },
    { id: 'job', stream, nowMs: NOW, folder: '/', freshTablesPrefix: 'stage-fresh-' },
  );

test('fresh tables have names that roles of the stage may reach', () => {
  expect(spec({ into: 'fresh', name: 'rebuilt', execute: true, reason: 'why' }).tables).toEqual({
    eventsTable: 'stage-fresh-rebuilt-events',
    deviceStateTable: 'stage-fresh-rebuilt-device-state',
  });
});

describe('the source of a replay', () => {
  test('is the stream where that reaches back far enough', () => {
    const part = { source: 'stream', fromMs: NOW - 2 * HOUR_MS, toMs: NOW };
    expect(spec({}).parts).toEqual([part]);
    expect(spec({ from: 'earliest' }, YOUNG_STREAM).parts).toEqual([{ ...part, fromMs: 0 }]);
  });

  test('joins archive and stream at one moment, where the stream does not reach back', () => {
    const seam = NOW - 84 * HOUR_MS;
    expect(spec({ from: '2026-01-01T00:00:00Z' }).parts).toEqual([
      { source: 'archive', fromMs: Date.parse('2026-01-01T00:00:00Z'), toMs: seam },
      { source: 'stream', fromMs: seam, toMs: NOW },
    ]);
  });

  test('is refused as the stream alone before its retention, naming the archive', () => {
    const early = { source: 'stream' as const, from: '2026-01-01T00:00:00Z' };
    expect(() => spec(early)).toThrow(/--source archive/);
    // A stream that was created again holds nothing of what the archive has of the one before.
    expect(() => spec(early, YOUNG_STREAM)).toThrow(/--source archive/);
  });
});

describe('flags that make no sense together', () => {
  test.each([
    [{ execute: true as const }, /--execute needs --into/],
    [{ execute: true as const, into: 'repair' as const }, /--execute needs --reason/],
    [{ into: 'repair' as const, shard: ['shardId-000000000000'] }, /needs every shard/],
    [{ source: 'event-store' as const, into: 'repair' as const }, /whole chains/],
    [{ name: 'x-y-z' }, /--name is the name of fresh tables/],
    [{ to: 'PT3H' }, /--to must be later/],
    [{ to: '2027-01-01T00:00:00Z' }, /future/],
    [{ rate: 'quick' }, /--rate quick/],
    [{ device: [' nobody'] }, /invalid device id/],
    [{ device: ['@/nothing/here'] }, /no such file/],
    [{ from: 'yesterday' }, /invalid time/],
  ])('%j', (flags, message) => {
    expect(() => spec(flags)).toThrow(message);
  });
});

test('tables are written at a moderate rate unless another is asked for, also in a plan', () => {
  const into = { into: 'fresh' as const };
  expect(spec(into).rate).toBe(2_000);
  expect(spec({ ...into, rate: '500' }).rate).toBe(500);
  expect(spec({ ...into, rate: 'max' })).toMatchObject({ isPolite: false });
  expect(spec({ ...into, rate: 'max' }).rate).toBeUndefined();
  expect(spec({}).rate).toBeUndefined();
  expect(spec({ into: 'stdout' }).rate).toBeUndefined();
});
