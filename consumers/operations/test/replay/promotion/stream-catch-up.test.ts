import { describe, expect, test } from 'vitest';
import { heldFromMs } from '../../../src/replay/promotion/promote-tables.ts';
import { catchUpParts } from '../../../src/replay/promotion/stream-catch-up.ts';
import { newJob } from '../../../src/replay/replay-job.ts';
import type { ReplayPart } from '../../../src/replay/replay-spec.ts';

const HOUR_MS = 3_600_000;
const NOW = 1_000 * HOUR_MS;
const STREAM = { createdMs: 0, retentionMs: 168 * HOUR_MS };
const END = Number.MAX_SAFE_INTEGER;

const jobOf = (...parts: readonly ReplayPart[]) =>
  newJob('job', { target: 'fresh', parts, isPolite: false }, parts.at(-1)?.toMs ?? 0);

describe('a catch-up', () => {
  test('of a copy of the event store reads no source', () => {
    const job = jobOf({ source: 'event-store', fromMs: 0, toMs: NOW - HOUR_MS });
    expect(catchUpParts(job, STREAM, NOW)).toEqual([]);
  });

  test('of a stream reads on to the end, and whole shards that had nothing in the window', () => {
    const job = jobOf({ source: 'stream', fromMs: 7, toMs: NOW - HOUR_MS });
    expect(catchUpParts(job, STREAM, NOW)).toEqual([{ source: 'stream', fromMs: 7, toMs: END }]);
  });

  test('of an archive reads the stream from before all that may have been delivered after it was read', () => {
    const job = jobOf({ source: 'archive', fromMs: 0, toMs: NOW - HOUR_MS });
    expect(catchUpParts(job, STREAM, NOW)).toEqual([
      { source: 'stream', fromMs: NOW - 26 * HOUR_MS, toMs: END },
    ]);
  });

  test('takes from the archive what the stream has lost since the replay', () => {
    const toMs = NOW - 200 * HOUR_MS;
    const seamMs = NOW - 84 * HOUR_MS;
    expect(catchUpParts(jobOf({ source: 'stream', fromMs: 0, toMs }), STREAM, NOW)).toEqual([
      { source: 'archive', fromMs: toMs - 60_000, toMs: seamMs },
      { source: 'stream', fromMs: seamMs, toMs: END },
    ]);
  });

  test.each([
    ['while the stream still has the minute before the end of the window', 0, 0, 'stream'],
    ['once the stream has lost 1 ms of it', -1, 0, 'archive'],
    ['not of a stream that was created since', -1, 1, 'stream'],
    ['also of a stream that was created just then', -1, 0, 'archive'],
  ])('of a stream reads the archive %s', (_, fromOldestMs, createdFromOldestMs, source) => {
    const oldestMs = NOW - STREAM.retentionMs;
    const job = jobOf({ source: 'stream', fromMs: 0, toMs: oldestMs + fromOldestMs + 60_000 });
    const stream = { ...STREAM, createdMs: oldestMs + createdFromOldestMs };
    expect(catchUpParts(job, stream, NOW)[0]?.source).toBe(source);
  });

  test('of a window reads nothing from before its beginning', () => {
    const job = jobOf({ source: 'archive', fromMs: NOW - 5, toMs: NOW });
    expect(catchUpParts(job, STREAM, NOW)).toEqual([{ source: 'stream', fromMs: NOW - 5, toMs: END }]);
  });

  test('of parts of two sources follows the last', () => {
    const archive = { source: 'archive' as const, fromMs: 0, toMs: NOW - 2 * HOUR_MS };
    const stream = { source: 'stream' as const, fromMs: NOW - 2 * HOUR_MS, toMs: NOW };
    expect(catchUpParts(jobOf(archive, stream), STREAM, NOW)).toEqual([{ ...stream, toMs: END }]);
  });

  test('goes on in the stream where it has read before', () => {
    const job = jobOf({ source: 'stream', fromMs: 7, toMs: END });
    expect(catchUpParts(job, STREAM, NOW)).toEqual([{ source: 'stream', fromMs: 7, toMs: END }]);
  });
});

describe('fresh tables hold', () => {
  test.each<[string, ReplayPart, number]>([
    ['everything of an event store', { source: 'event-store', fromMs: 0, toMs: NOW }, 0],
    ['everything of an archive', { source: 'archive', fromMs: 0, toMs: NOW }, 0],
    ['a window from its beginning', { source: 'archive', fromMs: 5, toMs: NOW }, 5],
    ['a window of the stream from its beginning', { source: 'stream', fromMs: 5, toMs: NOW }, 5],
    ['of a stream what its retention left', { source: 'stream', fromMs: 0, toMs: NOW }, NOW - 168 * HOUR_MS],
  ])('%s', (_, part, expected) => {
    expect(heldFromMs(jobOf(part), STREAM)).toBe(expected);
  });

  test('what the retention left of a stream that was created just when it begins', () => {
    const stream = { ...STREAM, createdMs: NOW - STREAM.retentionMs };
    expect(heldFromMs(jobOf({ source: 'stream', fromMs: 0, toMs: NOW }), stream)).toBe(stream.createdMs);
  });

  test('everything of a stream that is younger than its retention', () => {
    const young = { ...STREAM, createdMs: NOW - HOUR_MS };
    expect(heldFromMs(jobOf({ source: 'stream', fromMs: 0, toMs: NOW }), young)).toBe(0);
  });
});
