import { readFileSync } from 'node:fs';
import { deviceId } from '@twinstream/device-model';
import { compileMappings, mappingDecoder, parseMappingText } from '@twinstream/payload-mapping';
import { encodeAggregate } from '@twinstream/stream-model';
import { expect, test } from 'vitest';
import { FINISHED, projectorFixture, record, reported, T0 } from './projector-fixture.ts';

const DOCUMENT = `
language: 1
mapping: fleet
version: 4
rules:
  - name: ping
    when: [{ value: ping, exists: true }]
    ignore: says nothing
  - name: readings
    when: [{ value: readings, exists: true }]
    each: { path: readings }
    event:
      deviceId: $payload.device_id
      time: { path: ts, steps: [{ time: { unit: seconds } }] }
      data: { object: { temp: temp } }
  - name: counted
    when: [{ value: seq, exists: true }]
    event:
      deviceId: device_id
      time: { path: ts, steps: [{ time: { unit: seconds } }] }
      identity: { wrapping: seq, bits: 8 }
      data: { object: { temp: temp } }
  - name: flat
    when: [{ value: device_id, exists: true }]
    event:
      deviceId: device_id
      time: { path: ts, steps: [{ time: { unit: seconds } }] }
      data: { object: { temp: temp } }
`;

function fleetDecoder(text = DOCUMENT) {
  const document = parseMappingText(text);
  if ('faults' in document) throw new Error(JSON.stringify(document));
  const mapper = compileMappings([document]);
  if ('faults' in mapper) throw new Error(JSON.stringify(mapper));
  return mappingDecoder(mapper);
}
const TS = T0 / 1_000;
const PUMP = deviceId('pump-1');
const json = (value: unknown) => Buffer.from(JSON.stringify(value));

test('a flat payload is stored as the event that the mapping makes of it, with its name and version', async () => {
  const { deliver, pages, services, summaries } = projectorFixture({ decoder: fleetDecoder() });
  const payload = { device_id: PUMP, ts: TS, temp: 21.5 };
  expect(await deliver([record(1, json(payload)), record(2, reported(1))])).toEqual(FINISHED);
  const [page] = await pages(PUMP);
  expect(page?.events.map(({ text }) => JSON.parse(text))).toMatchObject([
    { deviceId: PUMP, data: { temp: 21.5 }, mapping: { name: 'fleet', version: 4 } },
  ]);
  expect((await services.latestState.read(PUMP))?.attributes.get('temp')?.value).toBe(21.5);
  expect(summaries).toMatchObject([
    { mapping: 'fleet@4', events: 2, applied: 2, quarantined: 0, ignored: 0 },
  ]);
});

test('one record becomes as many events as it has readings, in their order, and a redelivery stores none again', async () => {
  const { container, pages, summaries } = projectorFixture({ decoder: fleetDecoder() });
  const readings = [1, 2, 3].map((n) => ({ ts: TS + n, temp: n }));
  const aggregate = encodeAggregate([
    { partitionKey: 'a', data: json({ device_id: PUMP, readings }) },
    { partitionKey: 'b', data: json({ device_id: PUMP, ts: TS + 4, temp: 4 }) },
    { partitionKey: 'c', data: json({ device_id: PUMP, readings: [{ ts: TS + 5, temp: 5 }] }) },
  ]);
  expect(await container()([record(1, aggregate)])).toEqual(FINISHED);
  expect(await container()([record(1, aggregate)])).toEqual(FINISHED);
  const events = (await pages(PUMP)).flatMap((page) => page.events);
  expect(events.map(({ event }) => event.data.temp)).toEqual([1, 2, 3, 4, 5]);
  expect(summaries).toMatchObject([
    { events: 5, applied: 5 },
    { events: 5, applied: 0, redelivered: 5 },
  ]);
});

test('what a rule ignores is counted, and is neither stored nor in quarantine', async () => {
  const { deliver, services, summaries } = projectorFixture({ decoder: fleetDecoder() });
  expect(await deliver([record(1, json({ ping: 1 }))])).toEqual(FINISHED);
  expect(summaries).toMatchObject([{ records: 1, events: 0, ignored: 1, quarantined: 0 }]);
  expect(await Array.fromAsync(services.quarantine.list())).toEqual([]);
});

test('what a mapping rejects goes to quarantine by name, with the path that failed and the bytes of the device', async () => {
  const { deliver, services, pages } = projectorFixture({ decoder: fleetDecoder() });
  const mixed = json({ device_id: PUMP, readings: [{ ts: TS, temp: 1 }, { temp: 2 }] });
  const unknown = json({ other: 1 });
  expect(await deliver([record(1, mixed), record(2, unknown)])).toEqual(FINISHED);
  const listed = await Array.fromAsync(services.quarantine.list());
  const kept = await Promise.all(listed.map(({ key }) => services.quarantine.read(key)));
  expect(kept.flatMap((one) => one?.entries ?? [])).toMatchObject([
    {
      reason: 'unmapped-value',
      detail: 'item 1 of 2: rules.readings.event.time: missing',
      subSequenceNumber: 0,
      rejectedPlaces: [10_000_001],
    },
    { reason: 'no-mapping', detail: 'no rule of the mappings in use matches the payload' },
  ]);
  expect(kept.map((one) => Buffer.from(one?.data ?? []))).toEqual([mixed, unknown]);
  expect((await pages(PUMP)).flatMap((page) => page.events)).toHaveLength(1);
});

test('a counter of the source that wraps becomes session and counter of the stored event', async () => {
  const { deliver, pages, summaries } = projectorFixture({ decoder: fleetDecoder() });
  const payload = (seq: number, ts: number) => json({ device_id: PUMP, ts, seq, temp: seq });
  const records = [254, 255, 0, 0].map((seq, index) =>
    record(index + 1, payload(seq, TS + Math.min(index, 2))),
  );
  expect(await deliver(records)).toEqual(FINISHED);
  const events = (await pages(PUMP)).flatMap((page) => page.events);
  expect(events.map(({ event }) => event.identity?.counter)).toEqual([254, 255, 256]);
  expect(summaries).toMatchObject([{ applied: 3, duplicates: 1 }]);
});

test('a CloudEvent that a client puts again, in another container and after others, is a duplicate; one of another source is not', async () => {
  const text = readFileSync(new URL('../../../mappings/cloudevents.yaml', import.meta.url), 'utf8');
  const { container, pages, services } = projectorFixture({ decoder: fleetDecoder(text) });
  const put = (n: number, id: string, { source = '/plant', subject = 'pump-1' } = {}) =>
    record(
      n,
      json({ specversion: '1.0', source, subject, id, time: new Date(T0).toISOString(), data: { n } }),
    );
  const first = Array.from({ length: 40 }, (_, index) => put(index + 1, `${index + 1}`));
  expect(await container()(first)).toEqual(FINISHED);
  const more = [
    put(41, '1'),
    put(42, '1', { source: '/other' }),
    put(43, '1', { subject: 'pump-2' }),
    put(44, '40'),
  ];
  expect(await container()(more)).toEqual(FINISHED);
  expect(await container()([...first, ...more])).toEqual(FINISHED);
  const stored = (await pages(PUMP)).flatMap((page) => page.events.map(({ event }) => event.data.n));
  expect(stored).toEqual([...Array.from({ length: 40 }, (_, index) => index + 1), 42]);
  expect((await services.latestState.read(PUMP))?.counts).toMatchObject({ events: 41, duplicates: 2 });
  expect((await services.latestState.read(deviceId('pump-2')))?.counts).toMatchObject({
    events: 1,
    duplicates: 0,
  });
});
