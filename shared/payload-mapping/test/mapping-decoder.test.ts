import { encodeEvent, entryOfPlace, deviceId as toDeviceId } from '@twinstream/device-model';
import { mappingDecoder } from '@twinstream/payload-mapping';
import { archiveLines, sequenceNumber, shardId } from '@twinstream/stream-model';
import { describe, expect, test } from 'vitest';
import { MAPPED_ENTRY_BYTES_MAX } from '../src/mapping-decoder.ts';
import { ARRIVAL_TIME, mapperOf } from './mapping-builder.ts';

const READINGS = `
language: 1
mapping: readings
version: 2
rules:
  - name: ping
    when: [{ value: ping, exists: true }]
    ignore: says nothing
  - name: readings
    when: [{ value: readings, exists: true }]
    each: { path: readings }
    event:
      deviceId: $payload.id
      time: { path: t, steps: [{ time: { unit: seconds } }] }
      data: { object: { level: l } }
`;
const SINGLE = `
language: 1
mapping: single
version: 1
rules:
  - name: all
    event: { deviceId: id, time: { path: t, steps: [{ time: { unit: seconds } }] }, data: { object: { level: l } } }
`;

function decode(mapping: string, payload: unknown, subSequenceNumber = 0) {
  const data = payload instanceof Uint8Array ? payload : Buffer.from(JSON.stringify(payload));
  return mappingDecoder(mapperOf(mapping)).decode(
    { data, partitionKey: 'key', subSequenceNumber },
    ARRIVAL_TIME,
  );
}
const placesOf = ({ events }: ReturnType<typeof decode>) => events.map((event) => event.subSequenceNumber);

describe('the events of an entry', () => {
  test('have the place of the entry where the mapping makes one event of a record', () => {
    expect(placesOf(decode(SINGLE, { id: 'a', t: 1, l: 1 }, 7))).toEqual([7]);
  });

  test('have places of their own, whatever their number, where the mapping may make several', () => {
    const places = [0, 3].flatMap((entry) => [
      placesOf(decode(READINGS, { id: 'a', readings: [{ t: 1, l: 1 }] }, entry)),
      placesOf(decode(READINGS, { id: 'a', readings: [{ t: 1, l: 1 }, { l: 2 }, { t: 3, l: 3 }] }, entry)),
    ]);
    expect(places).toEqual([[10_000_000], [10_000_000, 10_000_002], [10_003_000], [10_003_000, 10_003_002]]);
    expect(places.flat().map(entryOfPlace)).toEqual([0, 0, 0, 3, 3, 3]);
  });

  test("of this project's own format keep the place of the entry beside any mapping", () => {
    const own = { v: 1, type: 'reported', time: '2026-01-01T00:00:00Z', data: {} } as const;
    const data = encodeEvent({ ...own, deviceId: toDeviceId('a') });
    expect(placesOf(decode(READINGS, data, 2))).toEqual([2]);
    expect(entryOfPlace(2)).toBe(2);
  });

  test('are none where a rule ignores it, and that is not a rejection', () => {
    expect(decode(READINGS, { ping: 1 })).toEqual({ events: [], ignored: 1 });
  });
});

describe('the rejection of an entry', () => {
  test('has the path that failed, and the places of the events that it is about where others are accepted', () => {
    const { events, rejection } = decode(READINGS, {
      id: 'a',
      readings: [{ t: 1, l: 1 }, { l: 2 }, { t: 'x', l: 3 }],
    });
    expect(events).toHaveLength(1);
    expect(rejection).toEqual({
      rejected: 'unmapped-value',
      detail: 'item 1 of 3: rules.readings.event.time: missing; 1 more are rejected',
      rejectedPlaces: [10_000_001, 10_000_002],
    });
  });

  test('is of the whole entry where none is accepted', () => {
    expect(decode(SINGLE, { id: 'a', l: 1 })).toEqual({
      events: [],
      ignored: 0,
      rejection: { rejected: 'unmapped-value', detail: 'rules.all.event.time: missing' },
    });
    expect(decode(READINGS, { other: 1 }).rejection).toMatchObject({ rejected: 'no-mapping' });
  });

  test('meets whatever the archive could not keep as it is', () => {
    const most = new Uint8Array(MAPPED_ENTRY_BYTES_MAX).fill(0xff);
    expect(decode(SINGLE, most).rejection?.rejected).toBe('undecodable-payload');
    const record = {
      sequenceNumber: sequenceNumber('1'),
      partitionKey: '\u0001'.repeat(256),
      data: Buffer.from(most),
      arrivalTime: ARRIVAL_TIME,
    };
    const [line] = archiveLines(shardId('shardId-000000000000'), record, 1_000 * 1_024);
    expect(line?.form).toBe('base64');
    expect(decode(SINGLE, new Uint8Array(MAPPED_ENTRY_BYTES_MAX + 1)).rejection?.rejected).toBe('too-large');
  });
});
