import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { mapperOf } from './mapping-builder.ts';

const FOLDER = new URL('../../../mappings/', import.meta.url);
const ARRIVAL_TIME = Date.parse('2026-01-01T00:10:00.000Z');

/** Device, type, time, identity (or `#` and the counter of the source, `*` where it restarts) and data of every event that the sample of a mapping becomes. */
const EXPECTED: Readonly<Record<string, { readonly ignored: number; readonly events: readonly string[] }>> = {
  'aws-iot-rule': {
    ignored: 0,
    events: [
      'valve-7 reported 2026-01-01T00:00:00.123Z {"temperature":21.5,"humidity":40,"site":"plant-1"}',
      'valve-8 reported 2026-01-01T00:00:01.456Z {"temperature":22,"site":"plant-1"}',
      'valve-7 connected 2025-12-31T23:59:50.000Z {}',
      'valve-8 disconnected 2026-01-01T00:01:00.000Z {"disconnectReason":"CONNECTION_LOST"}',
    ],
  },
  'azure-iot': {
    ignored: 0,
    events: [
      'thermo-1 reported 2026-01-01T00:00:00.1230000Z {"temperature":21.5,"humidity":40}',
      'thermo-2 reported 2026-01-01T00:00:01.0000000Z {"temperature":19}',
      'thermo-2 disconnected 2026-01-01T00:00:02.0000000Z {}',
      'thermo-3 reported 2026-01-01T00:00:03.567Z {"temperature":17.25}',
    ],
  },
  'chirpstack-v4': {
    ignored: 1,
    events: [
      '0101010101010101 connected 2026-01-01T09:33:10.775023242+00:00 {"devAddr":"00189440"}',
      '0101010101010101 reported 2026-01-01T09:34:15.775023242+00:00 #0* {"temperature.1":11.5,"humidity":81,"name":"cellar-1","devAddr":"00189440","rssi":-36,"snr":10.5,"gateway":"0016c001f153a14c"}',
      '0101010101010101 reported 2026-01-01T09:44:15.1+00:00 #1 {"temperature.1":11.75,"humidity":80,"name":"cellar-1","devAddr":"00189440","rssi":-40,"snr":9,"gateway":"0016c001f153a14c"}',
      '0202020202020202 reported 2026-01-01T09:35:00+00:00 #65535 {"name":"meter-2","devAddr":"01ab3c44","payloadHex":"00a440","rssi":-99,"snr":-3.5}',
      '0202020202020202 reported 2026-01-01T09:36:00+00:00 {"margin":6,"batteryLevel":98.4,"externalPower":false}',
    ],
  },
  cloudevents: {
    ignored: 0,
    events: [
      'press-7 reported 2026-01-01T00:00:00Z {"temperature":21.5,"pressure":3.4}',
      'sensor-9 reported 2026-01-01T00:00:01.5+01:00 {"level":7}',
      'press-8 reported 2026-01-01T00:00:02Z {"temperature":19}',
      'press-7 reported 2026-01-01T00:00:03Z {"temperature":22}',
    ],
  },
  'flat-telemetry': {
    ignored: 0,
    events: [
      'pump-7 reported 2026-01-01T00:00:00.000Z {"temp":21.5,"pressure.in":1.2,"pressure.out":3.4,"running":true}',
      'pump-8 reported 2026-01-01T00:00:01.250Z {"temp":19,"running":false}',
      '4711 reported 2026-01-01T00:00:02.000Z {"energyWh":12345678901234567890}',
      'pump-7 reported 2026-01-01T00:01:00Z {"temp":21.75}',
      'pump-9 reported 2026-01-01T00:10:00.000Z {"battery":0.83}',
    ],
  },
  'gtfs-realtime': {
    ignored: 1,
    events: [
      '8619 reported 2025-12-31T23:59:55.000Z {"type":"vehicle","latitude":30.2672,"longitude":-97.7431,"bearing":90,"speedKmh":27,"routeId":"801","tripId":"t-17","stopId":"5304","stopStatus":"IN_TRANSIT_TO"}',
      '8620 reported 2026-01-01T00:00:00.000Z {"type":"vehicle","latitude":30.3,"longitude":-97.7,"occupancy":"MANY_SEATS_AVAILABLE"}',
      '8619 reported 2026-01-01T00:00:25.000Z {"type":"vehicle","latitude":30.27,"longitude":-97.74,"speedKmh":0,"routeId":"801","tripId":"t-17","stopId":"5305","stopStatus":"STOPPED_AT"}',
    ],
  },
  'home-assistant-mqtt': {
    ignored: 2,
    events: [
      'sensor.kitchen_temperature reported 2026-01-01T00:00:00.000Z {"state":21.5}',
      'light.kitchen reported 2026-01-01T00:00:01.000Z {"state":"on"}',
      'hall-motion reported 2026-01-01T00:00:02.000Z {"occupancy":true,"battery":97,"linkquality":120}',
      'hall-motion connected 2026-01-01T00:00:03.000Z {}',
    ],
  },
  senml: {
    ignored: 0,
    events: [
      'urn:dev:ow:10e2073a01080063 reported 2026-01-01T00:00:00.000Z {"voltage":120.1}',
      'urn:dev:ow:10e2073a01080063 reported 2025-12-31T23:59:55.000Z {"current":1.2}',
      'urn:dev:ow:10e2073a01080063 reported 2025-12-31T23:59:56.000Z {"current":1.3}',
      'urn:dev:ow:10e2073a01080063 reported 2026-01-01T00:00:00.000Z {"current":1.7}',
      'urn:dev:mac:0024befffe804ff1 reported 2026-01-01T00:00:00.000Z {"temperature":23.1,"label":"Machine Room","open":false,"nfc":"aGkgCg"}',
      'urn:dev:ow:10e2073a01080064 reported 2026-01-01T00:09:30.000Z {"humidity":21.5}',
      'urn:dev:ow:10e2073a01080064 reported 2026-01-01T00:09:40.000Z {"humidity":22}',
    ],
  },
  'sparkplug-b': {
    ignored: 1,
    events: [
      'edge-1 connected 2026-01-01T00:00:00.000Z #0* {"cpu":0.25,"uptime":9007199254740993}',
      'edge-1:pump-7 connected 2026-01-01T00:00:00.001Z {"temperature":21.3,"running":true}',
      'edge-1 reported 2026-01-01T00:00:01.000Z #2 {"cpu":0.5}',
      'edge-1:pump-7 reported 2026-01-01T00:00:02.000Z {"temperature":21.4}',
      'edge-1 reported 2026-01-01T00:00:03.000Z #4 {"alias-1":0.75}',
      'edge-1:pump-7 disconnected 2026-01-01T00:00:04.000Z {}',
      'edge-1 disconnected 2026-01-01T00:00:05.000Z {}',
    ],
  },
  'the-things-stack': {
    ignored: 1,
    events: [
      'field-1 connected 2026-02-12T15:15:00.787Z {"devAddr":"00BCB929"}',
      'field-1 reported 2026-02-12T15:15:45.580Z #0* {"temperature":1,"luminosity":0.64,"devEui":"0004A30B001C0530","devAddr":"00BCB929","rssi":-35,"snr":5.2,"gateway":"barn","payloadHex":"8241de"}',
      'field-1 reported 2026-02-12T15:25:45.580Z #1 {"temperature":1.5,"luminosity":0.6,"devEui":"0004A30B001C0530","devAddr":"00BCB929","rssi":-37,"snr":6,"gateway":"barn","payloadHex":"8241df"}',
      'field-2 reported 2026-02-12T15:16:00Z #65535 {"payloadHex":"0102"}',
    ],
  },
};

const names = readdirSync(FOLDER)
  .filter((file) => file.endsWith('.yaml'))
  .map((file) => file.slice(0, -'.yaml'.length));

test('every ready-made mapping has a sample whose outcome is known', () => {
  expect(names.toSorted()).toEqual(Object.keys(EXPECTED).toSorted());
});

describe.each(names)('the mapping %s', (name) => {
  const text = readFileSync(new URL(`${name}.yaml`, FOLDER), 'utf8');
  const sample = readFileSync(new URL(`samples/${name}.ndjson`, FOLDER), 'utf8');

  test('maps its sample into the right devices and values, without a rejection', () => {
    const mapper = mapperOf(text);
    const records = sample.trimEnd().split('\n');
    const mapped = records.map((line) =>
      mapper.map({ data: Buffer.from(line), partitionKey: 'key', arrivalTime: ARRIVAL_TIME }),
    );
    expect(mapped.flatMap(({ rejections }) => rejections)).toEqual([]);
    expect({
      ignored: mapped.reduce((sum, { ignored }) => sum + ignored, 0),
      events: mapped.flatMap(({ events }) =>
        events.map(({ event: { deviceId, type, time, identity }, sourceCounter, text: own }) => {
          const counted = identity === undefined ? [] : [`${identity.session}.${identity.counter}`];
          const source =
            sourceCounter === undefined
              ? []
              : [`#${sourceCounter.counter}${sourceCounter.restart ? '*' : ''}`];
          return [
            deviceId,
            type,
            time,
            ...counted,
            ...source,
            own.slice(own.indexOf('"data":') + 7, -1),
          ].join(' ');
        }),
      ),
    }).toEqual(EXPECTED[name]);
  });

  test('has the name of its file and the schema of this folder', () => {
    expect(text).toMatch(/^# yaml-language-server: \$schema=\.\/mapping\.schema\.json\n/);
    expect(mapperOf(text).mappings).toMatchObject([{ name }]);
  });
});
