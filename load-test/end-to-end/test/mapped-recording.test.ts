import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { eventTimeMs } from '@twinstream/device-model';
import { readRecording } from '@twinstream/device-simulator';
import { compileMappings, mappingDecoder, parseMappingText } from '@twinstream/payload-mapping';
import { expect, test } from 'vitest';

const PATH = fileURLToPath(
  new URL('../../../producers/device-simulator/samples/austin-buses.csv', import.meta.url),
);
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

/** The rows of the file as a fleet of its own format sends them: flat JSON, numbers as numbers, null for an empty cell. */
function flatLines(): readonly string[] {
  const [header = '', ...rows] = readFileSync(PATH, 'utf8').trimEnd().split('\n');
  const names = header.split(',');
  return rows.map((row) => {
    const cells = row.split(',').map((cell, index) => [names[index] ?? '', cell] as const);
    const members = cells.map(([name, cell]) => [name, cellValue(cell)]);
    return JSON.stringify(Object.fromEntries(members));
  });
}

function cellValue(cell: string): string | number | null {
  if (cell === '') return null;
  return Number.isFinite(Number(cell)) ? Number(cell) : cell;
}

test('a recording put as flat JSON lines through a mapping is the recording, row for row', async () => {
  const document = parseMappingText(MAPPING);
  const mapper = 'faults' in document ? document : compileMappings([document]);
  if ('faults' in mapper) throw new Error(JSON.stringify(mapper.faults));
  const decoder = mappingDecoder(mapper);
  const mapped = flatLines().flatMap((line) => {
    const entry = { data: Buffer.from(line), partitionKey: 'key', subSequenceNumber: 0 };
    const { events, rejection } = decoder.decode(entry, 0);
    expect(rejection).toBeUndefined();
    return events.map(({ decoded: { event } }) => [event.deviceId, eventTimeMs(event.time), event.data]);
  });
  const recording = { path: PATH, columns: { id: 'vehicle_id', time: 'timestamp' }, offset: undefined };
  const recorded = (await Array.fromAsync(readRecording(recording))).flat().map((row) => {
    if ('reason' in row) throw new Error(row.reason);
    return [row.deviceId, row.timeMs, JSON.parse(`{${row.tail}`).data];
  });
  expect(mapped).toHaveLength(443);
  expect(mapped).toEqual(recorded);
});
