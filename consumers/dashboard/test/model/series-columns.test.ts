import type { EventJson, SeriesAnswer } from '@twinstream/api-contract';
import { describe, expect, test } from 'vitest';
import { columnsOf, intervalOf, numericNames } from '../../src/model/series-columns.ts';

const iso = (seconds: number): string => new Date(seconds * 1_000).toISOString();

function series(
  buckets: readonly (readonly [number, number])[],
  gaps: readonly (readonly [number, number])[],
): SeriesAnswer {
  return {
    deviceId: 'bus-1',
    attribute: 'speed',
    aggregate: 'last',
    basis: 'arrival',
    from: iso(0),
    to: iso(100),
    intervalMs: 1_000,
    buckets: buckets.map(([time, value]) => ({ time: iso(time), value, count: 1 })),
    gaps: gaps.map(([from, to]) => ({ from: iso(from), to: iso(to) })),
    isComplete: true,
  };
}

describe('a series as a line', () => {
  test('holds each value until the next, and the last until the end', () => {
    const line = columnsOf(
      series(
        [
          [10, 1],
          [20, 2],
        ],
        [
          [0, 10],
          [11, 20],
          [21, 100],
        ],
      ),
      200_000,
      100_000,
    );
    expect(line).toEqual({ times: [10, 20, 100], values: [1, 2, 2] });
  });

  test('is interrupted where the device was silent for longer', () => {
    const line = columnsOf(
      series(
        [
          [10, 1],
          [70, 2],
        ],
        [
          [11, 70],
          [71, 100],
        ],
      ),
      50_000,
      100_000,
    );
    expect(line).toEqual({ times: [10, 11, 70, 100], values: [1, null, 2, 2] });
  });

  test('ends where the silence lasts until the end', () => {
    const line = columnsOf(
      series(
        [[10, 1]],
        [
          [0, 10],
          [11, 100],
        ],
      ),
      50_000,
      100_000,
    );
    expect(line).toEqual({ times: [10, 11], values: [1, null] });
  });

  test('of nothing is empty', () => {
    expect(columnsOf(series([], [[0, 100]]), 1, 100_000)).toEqual({ times: [], values: [] });
  });
});

test('attributes that were a number twice have a plot, those with most numbers first', () => {
  const event = (data: EventJson['data']): EventJson => ({
    v: 1,
    deviceId: 'bus-1',
    type: 'reported',
    time: iso(1),
    ...(data === undefined ? {} : { data }),
    position: { shardId: 'shardId-0', sequenceNumber: '1', subSequenceNumber: 0 },
    arrivalTime: iso(1),
  });
  const events = [
    { a: 1, b: 1, once: 1 },
    { b: 2, text: 'x' },
    { a: 2, b: 3, text: 'y' },
  ].map(event);
  expect(numericNames([...events, event(undefined)])).toEqual(['b', 'a']);
});

test('some hundreds of buckets make a line, and none is empty of time', () => {
  expect(intervalOf(400_000)).toBe(1_000);
  expect(intervalOf(3)).toBe(1);
});
