import { eventTimeMs } from '@twinstream/device-model';
import { readRecording } from '@twinstream/device-simulator';
import { compileMappings, mappingDecoder, parseMappingText } from '@twinstream/payload-mapping';
import { expect, test } from 'vitest';
import { flatRows, RECORDED_ROWS, RECORDING, RECORDING_COLUMNS } from './recorded-buses.ts';

const MAPPING = `
language: 1
mapping: buses
version: 1
rules:
  - name: position
    when: [{ value: vehicle_id, exists: true }]
    event:
      deviceId: vehicle_id
      time: { path: timestamp, steps: [{ time: { unit: iso } }] }
      data: { path: $payload, steps: [{ drop: [vehicle_id, timestamp] }] }
`;

test('a recording put as flat JSON lines through a mapping is the recording, row for row', async () => {
  const document = parseMappingText(MAPPING);
  const mapper = 'faults' in document ? document : compileMappings([document]);
  if ('faults' in mapper) throw new Error(JSON.stringify(mapper.faults));
  const decoder = mappingDecoder(mapper);
  const mapped = flatRows().flatMap((row) => {
    const entry = { data: Buffer.from(JSON.stringify(row)), partitionKey: 'key', subSequenceNumber: 0 };
    const { events, rejection } = decoder.decode(entry, 0);
    expect(rejection).toBeUndefined();
    return events.map(({ decoded: { event } }) => [event.deviceId, eventTimeMs(event.time), event.data]);
  });
  const recording = { path: RECORDING, columns: RECORDING_COLUMNS, offset: undefined };
  const recorded = (await Array.fromAsync(readRecording(recording))).flat().map((row) => {
    if ('reason' in row) throw new Error(row.reason);
    return [row.deviceId, row.timeMs, JSON.parse(`{${row.tail}`).data];
  });
  expect(mapped).toHaveLength(RECORDED_ROWS);
  expect(mapped).toEqual(recorded);
});
