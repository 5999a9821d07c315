import type { EventJson } from '@twinstream/api-contract';
import { describe, expect, test } from 'vitest';
import { boundsOf, positionOf, roundStep, trackOf } from '../../src/model/position.ts';

describe('the position of a device', () => {
  test.each([
    ['two attributes', { latitude: 30.2, longitude: -97.7, speed: 3 }],
    ['short names', { lat: 30.2, lon: -97.7 }],
    ['texts of digits', { latitude: '30.2', longitude: '-97.7' }],
    ['members of one attribute', { speed: 3, position: { latitude: 30.2, longitude: -97.7 } }],
  ])('is read from %s', (_, attributes) => {
    expect(positionOf(attributes)).toEqual({ latitude: 30.2, longitude: -97.7 });
  });

  test.each([
    ['one of both', { latitude: 30.2 }],
    ['degrees that do not exist', { latitude: 130.2, longitude: 4 }],
    ['other texts', { latitude: 'north', longitude: '' }],
    ['a list', { position: [30.2, -97.7] }],
  ])('is not made of %s', (_, attributes) => {
    expect(positionOf(attributes)).toBeUndefined();
  });
});

test('a track goes by time, whatever the order of arrival, and leaves corrections out', () => {
  const event = (type: string, time: string, longitude: number): EventJson => ({
    v: 1,
    deviceId: 'bus-1',
    type,
    time,
    data: { latitude: 30, longitude },
    position: { shardId: 'shardId-0', sequenceNumber: '1', subSequenceNumber: 0 },
    arrivalTime: '2026-11-02T08:00:00.000Z',
  });
  const events = [
    event('reported', '2026-11-02T07:00:02Z', 2),
    event('reported', '2026-11-02T07:00:01Z', 1),
    event('corrected', '2026-11-02T07:00:03Z', 9),
  ];
  const track = trackOf(events, ({ time }) => Date.parse(time));
  expect(track.map(({ longitude }) => longitude)).toEqual([1, 2]);
});

test('an area has a size, also around one position', () => {
  const bounds = boundsOf([{ latitude: 30, longitude: -97 }]);
  expect((bounds?.north ?? 0) - (bounds?.south ?? 0)).toBeCloseTo(0.002);
  expect(boundsOf([])).toBeUndefined();
});

test.each([
  [0.013, 0.02],
  [0.02, 0.02],
  [3, 5],
  [70, 100],
])('a step of at least %d degrees is %d', (atLeast, step) => {
  expect(roundStep(atLeast)).toBeCloseTo(step);
});
