import { type ArrivedEvent, type DeviceEvent, deviceId, encodeEvent } from '@twinstream/device-model';
import type { QuarantinedEntry } from '@twinstream/quarantine';
import { encodeAggregate, readBatch, sequenceNumber, shardId } from '@twinstream/stream-model';
import { lambdaBatch } from '@twinstream/stream-model/testing';
import { describe, expect, test } from 'vitest';
import { addInOrder, openBatch } from '../src/open-batch.ts';
import { isWhole } from '../src/refused-records.ts';

const T0 = Date.parse('2026-01-01T00:00:00Z');

function event(name: string, counter: number): DeviceEvent {
  const identity = { session: 1, counter };
  const time = '2026-01-01T00:00:00Z';
  return { v: 1, deviceId: deviceId(name), type: 'reported', time, identity, data: { counter } };
}

/** Opens records of one shard, numbered from 1, whose partition key is `a`. */
function opened(...payloads: readonly Uint8Array[]) {
  const records = payloads.map((data, index) => ({
    sequenceNumber: String(index + 1),
    partitionKey: 'a',
    data,
    arrivalTime: T0 + index,
  }));
  return openBatch(readBatch(lambdaBatch({ records })));
}

const entry = (name: string, counter: number) => ({
  partitionKey: name,
  data: encodeEvent(event(name, counter)),
});

describe('opening a batch', () => {
  test('groups events by device, each in the order of the shard', () => {
    const { devices, eventCount } = opened(
      encodeEvent(event('a', 1)),
      encodeAggregate([entry('b', 1), entry('a', 2)]),
      encodeEvent(event('b', 2)),
    );
    const places = devices.map(({ deviceId: id, from, arrived }) => [
      id,
      from,
      arrived.map(({ place, arrivalTime }) => [
        place.sequenceNumber,
        place.subSequenceNumber,
        arrivalTime - T0,
      ]),
    ]);
    expect(places).toEqual([
      [
        'a',
        '1',
        [
          ['1', 0, 0],
          ['2', 1, 1],
        ],
      ],
      [
        'b',
        '2',
        [
          ['2', 0, 1],
          ['3', 0, 2],
        ],
      ],
    ]);
    expect(eventCount).toBe(4);
  });

  test('counts every entry of an aggregate in places, also invalid ones', () => {
    const { devices, poison } = opened(
      encodeAggregate([entry('a', 1), { partitionKey: 'a', data: Buffer.from('no') }, entry('a', 2)]),
    );
    expect(devices[0]?.arrived.map(({ place }) => place.subSequenceNumber)).toEqual([0, 2]);
    expect(poison).toMatchObject([{ entries: [{ subSequenceNumber: 1, reason: 'not-json' }] }]);
  });

  test('keeps the whole record of an invalid event', () => {
    const bytes = encodeAggregate([entry('a', 1), { partitionKey: 'a', data: Buffer.from('[]') }]);
    const [record] = opened(bytes).poison;
    expect(record?.data && Buffer.compare(record.data, bytes)).toBe(0);
  });

  test('refuses a damaged aggregate whole', () => {
    const bytes = encodeAggregate([entry('a', 1), entry('a', 2)]);
    const { devices, poison } = opened(bytes.subarray(0, bytes.length - 1));
    expect(devices).toEqual([]);
    expect(poison).toMatchObject([{ entries: [{ reason: 'damaged-aggregate' }] }]);
  });

  test('lets the device id govern, and counts keys that differ', () => {
    const { devices, keyMismatchCount } = opened(...['a', 'b', 'c'].map((id) => encodeEvent(event(id, 1))));
    expect(devices.map((device) => device.deviceId)).toEqual(['a', 'b', 'c']);
    expect(keyMismatchCount).toBe(2);
  });

  test('takes device ids that are members of every object for what they are', () => {
    const { devices } = opened(encodeEvent(event('__proto__', 1)), encodeEvent(event('constructor', 1)));
    expect(devices.map((device) => device.deviceId)).toEqual(['__proto__', 'constructor']);
  });
});

test('the events of a record are in the order of their places, those of other records stay where they are', () => {
  const places = [
    ['1', 9],
    ['2', 0],
    ['2', 700],
    ['2', 701],
    ['2', 1],
    ['2', 2],
    ['2', 702],
    ['3', 0],
  ] as const;
  const arrived: ArrivedEvent[] = [];
  for (const [record, subSequenceNumber] of places) {
    const sent = event('a', 1);
    const place = { sequenceNumber: sequenceNumber(record), subSequenceNumber };
    addInOrder(arrived, { place, arrivalTime: T0, event: sent, text: '' });
  }
  expect(arrived.map(({ place }) => `${place.sequenceNumber}.${place.subSequenceNumber}`)).toEqual([
    '1.9',
    '2.0',
    '2.1',
    '2.2',
    '2.700',
    '2.701',
    '2.702',
    '3.0',
  ]);
});

test('a record is whole where its one entry is all of its bytes', () => {
  const data = Buffer.from('[1]');
  const content = { partitionKey: 'a', data };
  const entry = { ...content, subSequenceNumber: 0, reason: 'not-object', detail: 'a list' } as const;
  const record = {
    shardId: shardId('shardId-000000000000'),
    sequenceNumber: sequenceNumber('1'),
    arrivalTime: T0,
  };
  const whole = (...entries: readonly QuarantinedEntry[]) => isWhole({ ...record, ...content, entries });
  expect(whole(entry)).toBe(true);
  expect(whole({ ...entry, data: data.subarray(1) })).toBe(false);
  expect(whole(entry, { ...entry, subSequenceNumber: 1 })).toBe(false);
  expect(whole()).toBe(false);
});
