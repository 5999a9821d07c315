import { LABELS as MODEL_LABELS } from '@twinstream/device-model';
import { describe, expect, test } from 'vitest';
import {
  decodeDevice,
  decodeHistoryEvent,
  decodeListed,
  decodePipeline,
  decodeSummary,
} from '../../src/api/decode.ts';
import { LABELS } from '../../src/api/shapes.ts';

const device = {
  deviceId: 'bus-2619',
  status: 'connected',
  liveness: 'online',
  attributes: { speedMph: 17.4, site: 'north' },
  labels: { site: 'north' },
  version: { session: 3, counter: 1042 },
  position: { shardId: 'shardId-000000000001', sequenceNumber: '49', subSequenceNumber: 0 },
  counts: { events: 5, duplicates: 1, late: 0, gaps: 2 },
  lastEventTime: '2026-11-23T08:00:00Z',
  lastArrivalTime: '2026-11-23T08:00:00.250Z',
};

test('the labels of the page are those of the device model', () => {
  expect(LABELS).toEqual(MODEL_LABELS);
});

describe('a device', () => {
  test('is read with its times as milliseconds', () => {
    expect(decodeDevice(device)).toEqual({
      ...device,
      attributeFacts: new Map(),
      lastArrivalTime: Date.UTC(2026, 10, 23, 8, 0, 0, 250),
    });
  });

  test('that was never heard, nor counted, lacks what it lacks', () => {
    const silent = decodeDevice({
      ...device,
      version: null,
      position: null,
      lastEventTime: null,
      lastArrivalTime: null,
    });
    expect(silent).toBeDefined();
    expect(silent).not.toHaveProperty('version');
    expect(silent).not.toHaveProperty('lastArrivalTime');
  });

  test('is not taken from an answer without id or liveness', () => {
    expect(decodeDevice({ ...device, deviceId: undefined })).toBeUndefined();
    expect(decodeDevice({ ...device, liveness: 'alive' })).toBeUndefined();
    expect(decodeDevice('bus-2619')).toBeUndefined();
    expect(decodeDevice(null)).toBeUndefined();
  });

  test('comes with the versions of its attributes, those of removed ones left out', () => {
    const attributeVersions = {
      speedMph: { session: 3, counter: 9, ordinal: 0, revision: 1, arrivalTime: '2026-11-23T08:00:00Z' },
      gone: { session: 3, counter: 8, ordinal: 0, revision: 0, removed: true },
    };
    expect(decodeDevice({ ...device, attributeVersions })?.attributeFacts).toEqual(
      new Map([
        [
          'speedMph',
          { version: { session: 3, counter: 9, ordinal: 0, revision: 1 }, time: Date.UTC(2026, 10, 23, 8) },
        ],
      ]),
    );
  });

  test('has versions of attributes with the names that every object has, and of no others', () => {
    const version = { session: 3, counter: 9, ordinal: 0, revision: 0 };
    const attributeVersions = JSON.parse(
      `{"__proto__":${JSON.stringify(version)},"toString":${JSON.stringify(version)}}`,
    );
    const facts = decodeDevice({ ...device, attributeVersions })?.attributeFacts;
    expect(facts).toEqual(
      new Map([
        ['__proto__', { version }],
        ['toString', { version }],
      ]),
    );
    expect(facts?.get('constructor')).toBeUndefined();
  });
});

describe('an event', () => {
  const event = {
    v: 1,
    deviceId: 'bus-2619',
    type: 'corrected',
    time: '2026-11-23T08:00:00Z',
    reason: 'wheel sensor replaced',
    actor: 'maintenance',
    corrects: { session: 3, counter: 7 },
    data: { speedMph: 0 },
    arrivalTime: '2026-11-23T08:00:01Z',
    late: true,
  };

  test('that corrects says which event, why and by whom', () => {
    expect(decodeHistoryEvent(event)).toMatchObject({
      late: true,
      repaired: false,
      correction: {
        reason: 'wheel sensor replaced',
        actor: 'maintenance',
        corrects: { session: 3, counter: 7 },
      },
      raw: event,
    });
  });

  test('without an arrival is none', () => {
    expect(decodeHistoryEvent({ ...event, arrivalTime: undefined })).toBeUndefined();
  });
});

test('one item that cannot be read makes the whole list unread, rather than shorter', () => {
  expect(decodeListed({ devices: [device, { deviceId: 'x' }] }, 'devices', decodeDevice)).toBeUndefined();
  expect(decodeListed({ devices: [device], cursor: 'c', total: 9 }, 'devices', decodeDevice)).toMatchObject({
    cursor: 'c',
    total: 9,
  });
});

test('a summary is read with the counts of each label, the most frequent first', () => {
  const summary = decodeSummary({
    total: 3,
    byLiveness: { online: 2, stale: 1, offline: 0 },
    byStatus: { connected: 3 },
    inTrouble: 1,
    bySite: {
      values: [
        { value: 'north', count: 2 },
        { value: 'south', count: 1 },
      ],
      other: 0,
      none: 0,
    },
    asOf: '2026-11-23T08:00:00Z',
  });
  expect(summary?.liveness).toEqual({ online: 2, stale: 1, offline: 0 });
  expect([...(summary?.site ?? [])]).toEqual([
    ['north', 2],
    ['south', 1],
  ]);
});

test('a pipeline is read with what it does not know left out', () => {
  const pipeline = decodePipeline({
    stream: 'device-events',
    retentionHours: 168,
    shards: [{ shardId: 's', state: 'OPEN', lagMs: null, recordsPerSecond: 4, finishedThrough: null }],
    quarantined: 0,
    archive: { lastDeliveryTime: null },
  });
  expect(pipeline).toEqual({
    stream: 'device-events',
    retentionHours: 168,
    shards: [{ shardId: 's', state: 'OPEN', recordsPerSecond: 4 }],
    quarantined: 0,
    replays: [],
  });
});
