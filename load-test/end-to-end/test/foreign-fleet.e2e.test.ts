import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { KinesisClient, PutRecordsCommand } from '@aws-sdk/client-kinesis';
import type { WholeDevice } from '@twinstream/api-contract';
import { EXIT_CODES } from '@twinstream/command-line';
import { deviceId, devicePathSegment } from '@twinstream/device-model';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { operationsOf } from '../src/operations-pipeline.ts';
import { localAccess } from '../src/pipeline-access.ts';
import { pipelineStores } from '../src/pipeline-stores.ts';
import { type RunningPipeline, runPipeline, temporaryFolder } from '../src/running-pipeline.ts';
import { flatRows, RECORDED_ROWS, RECORDING, RECORDING_COLUMNS } from './recorded-buses.ts';

const MAPPINGS = fileURLToPath(new URL('../../../mappings/', import.meta.url));
const RECORDS_PER_PUT = 500;

/** The buses of the recording under ids of their own, beside those that the simulator sends. */
const BUSES = `
language: 1
mapping: buses
version: 1
rules:
  - name: position
    when: [{ value: vehicle_id, exists: true }]
    event:
      deviceId: { concat: [{ const: flat- }, vehicle_id] }
      time: { path: timestamp, steps: [{ time: { unit: iso } }] }
      data: { path: $payload, steps: [{ drop: [vehicle_id, timestamp] }] }
`;

interface Device {
  readonly status?: WholeDevice['status'];
  /** Session, which is the time of an announced restart, and counter of the newest counted event. */
  readonly version?: readonly [number, number];
  readonly events: number;
  readonly attributes: WholeDevice['attributes'];
}

/**
 * What the devices of each ready-made mapping's sample come to, by hand. The mappings are in use in this order: what could be
 * flat telemetry as well comes before it.
 */
const SAMPLES: Readonly<Record<string, Readonly<Record<string, Device>>>> = {
  'aws-iot-rule': {
    'valve-7': {
      status: 'connected',
      events: 2,
      attributes: { temperature: 21.5, humidity: 40, site: 'plant-1' },
    },
    'valve-8': {
      status: 'disconnected',
      events: 2,
      attributes: { temperature: 22, site: 'plant-1', disconnectReason: 'CONNECTION_LOST' },
    },
  },
  'azure-iot': {
    'thermo-1': { events: 1, attributes: { temperature: 21.5, humidity: 40 } },
    'thermo-2': { status: 'disconnected', events: 2, attributes: { temperature: 19 } },
    'thermo-3': { events: 1, attributes: { temperature: 17.25 } },
  },
  'chirpstack-v4': {
    '0101010101010101': {
      status: 'connected',
      version: [Date.parse('2026-01-01T09:34:15.775Z'), 1],
      events: 3,
      attributes: {
        'temperature.1': 11.75,
        humidity: 80,
        name: 'cellar-1',
        devAddr: '00189440',
        rssi: -40,
        snr: 9,
        gateway: '0016c001f153a14c',
      },
    },
    '0202020202020202': {
      version: [0, 65_535],
      events: 2,
      attributes: {
        name: 'meter-2',
        devAddr: '01ab3c44',
        payloadHex: '00a440',
        rssi: -99,
        snr: -3.5,
        margin: 6,
        batteryLevel: 98.4,
        externalPower: false,
      },
    },
  },
  cloudevents: {
    'press-7': { events: 2, attributes: { temperature: 22, pressure: 3.4 } },
    'press-8': { events: 1, attributes: { temperature: 19 } },
    'sensor-9': { events: 1, attributes: { level: 7 } },
  },
  'gtfs-realtime': {
    '8619': {
      events: 2,
      attributes: {
        type: 'vehicle',
        latitude: 30.27,
        longitude: -97.74,
        bearing: 90,
        speedKmh: 0,
        routeId: '801',
        tripId: 't-17',
        stopId: '5305',
        stopStatus: 'STOPPED_AT',
      },
    },
    '8620': {
      events: 1,
      attributes: {
        type: 'vehicle',
        latitude: 30.3,
        longitude: -97.7,
        occupancy: 'MANY_SEATS_AVAILABLE',
      },
    },
  },
  'home-assistant-mqtt': {
    'sensor.kitchen_temperature': { events: 1, attributes: { state: 21.5 } },
    'light.kitchen': { events: 1, attributes: { state: 'on' } },
    'hall-motion': {
      status: 'connected',
      events: 2,
      attributes: { occupancy: true, battery: 97, linkquality: 120 },
    },
  },
  senml: {
    'urn:dev:ow:10e2073a01080063': { events: 4, attributes: { voltage: 120.1, current: 1.7 } },
    'urn:dev:mac:0024befffe804ff1': {
      events: 1,
      attributes: { temperature: 23.1, label: 'Machine Room', open: false, nfc: 'aGkgCg' },
    },
    'urn:dev:ow:10e2073a01080064': { events: 2, attributes: { humidity: 22 } },
  },
  'sparkplug-b': {
    'edge-1': {
      status: 'disconnected',
      version: [Date.parse('2026-01-01T00:00:00Z'), 4],
      events: 4,
      attributes: { cpu: 0.5, uptime: '9007199254740993', 'alias-1': 0.75 },
    },
    'edge-1:pump-7': {
      status: 'disconnected',
      events: 3,
      attributes: { temperature: 21.4, running: true },
    },
  },
  'the-things-stack': {
    'field-1': {
      status: 'connected',
      version: [Date.parse('2026-02-12T15:15:45.580Z'), 1],
      events: 3,
      attributes: {
        temperature: 1.5,
        luminosity: 0.6,
        devEui: '0004A30B001C0530',
        devAddr: '00BCB929',
        rssi: -37,
        snr: 6,
        gateway: 'barn',
        payloadHex: '8241df',
      },
    },
    'field-2': { version: [0, 65_535], events: 1, attributes: { payloadHex: '0102' } },
  },
  'flat-telemetry': {
    'pump-7': {
      events: 2,
      attributes: { temp: 21.75, 'pressure.in': 1.2, 'pressure.out': 3.4, running: true },
    },
    'pump-8': { events: 1, attributes: { temp: 19, running: false } },
    '4711': { events: 1, attributes: { energyWh: '12345678901234567890' } },
    'pump-9': { events: 1, attributes: { battery: 0.83 } },
  },
};
const SAMPLE_EVENTS = Object.values(SAMPLES)
  .flatMap((devices) => Object.values(devices))
  .reduce((sum, { events }) => sum + events, 0);

const folder = temporaryFolder();
let pipeline: RunningPipeline;
let client: KinesisClient;

beforeAll(async () => {
  const buses = join(folder.path, 'buses.yaml');
  writeFileSync(buses, BUSES);
  const readyMade = Object.keys(SAMPLES).map((name) => join(MAPPINGS, `${name}.yaml`));
  pipeline = await runPipeline(folder.path, '--mapping', [...readyMade, buses].join(','));
  const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };
  const endpoint = pipeline.environment.AWS_ENDPOINT_URL_KINESIS ?? '';
  client = new KinesisClient({ endpoint, region: 'us-east-1', credentials });
}, 120_000);
afterAll(async () => {
  client.destroy();
  await pipeline.stop();
  folder.dispose();
}, 60_000);

/** Puts payloads as a plain SDK client does, those of one key in their order. */
async function put(payloads: readonly string[], keyOf: (payload: string) => string): Promise<void> {
  const Records = payloads.map((payload) => ({
    PartitionKey: keyOf(payload),
    Data: Buffer.from(payload),
  }));
  expect(Records.length).toBeLessThanOrEqual(RECORDS_PER_PUT);
  const StreamName = pipeline.environment.TWINSTREAM_STREAM;
  const { FailedRecordCount } = await client.send(new PutRecordsCommand({ StreamName, Records }));
  expect(FailedRecordCount).toBe(0);
}

async function deviceAt(id: string): Promise<WholeDevice> {
  const response = await fetch(`${pipeline.apiUrl}/v1/devices/${devicePathSegment(id)}`);
  expect(response.status).toBe(200);
  return (await response.json()) as WholeDevice;
}

describe('a foreign fleet that a plain SDK client puts into the stream', () => {
  test('of any of the ten ready-made shapes becomes the right state of its devices', async () => {
    for (const name of Object.keys(SAMPLES)) {
      const sample = readFileSync(join(MAPPINGS, 'samples', `${name}.ndjson`), 'utf8');
      await put(sample.trimEnd().split('\n'), () => name);
    }
    await pipeline.caughtUp();
    for (const [name, devices] of Object.entries(SAMPLES)) {
      for (const [id, { status = 'unknown', version, events, attributes }] of Object.entries(devices)) {
        const found = await deviceAt(id);
        const { session, counter } = found.version ?? {};
        expect(
          {
            name,
            id,
            status: found.status,
            version: found.version === null ? undefined : [session, counter],
            events: found.counts.events,
            attributes: found.attributes,
          },
          `${name} ${id}`,
        ).toEqual({ name, id, status, version, events, attributes });
      }
    }
  }, 60_000);

  test('has numbers that no double holds in its history as it wrote them, and in its state as texts', async () => {
    const history = await fetch(`${pipeline.apiUrl}/v1/devices/4711/events`);
    expect(await history.text()).toContain('"energyWh":12345678901234567890');
    const { ops } = operationsOf(pipeline, folder.path);
    expect((await ops('history', '4711', '--output', 'json')).stdout).toContain(
      '"energyWh":12345678901234567890',
    );
    const state = await ops('state', '4711', '--output', 'json');
    expect(JSON.parse(state.stdout)).toMatchObject({ attributes: { energyWh: '12345678901234567890' } });
  }, 30_000);

  test('of recorded buses as flat JSON is the recording, row for row', async () => {
    await put(
      flatRows().map((row) => JSON.stringify(row)),
      (payload) => String(JSON.parse(payload).vehicle_id),
    );
    const { id, time } = RECORDING_COLUMNS;
    const columns = ['--id-column', id, '--time-column', time];
    const { code, stderr } = await pipeline.simulate('--input', RECORDING, ...columns, '--rate', '1000');
    expect({ code, stderr }).toMatchObject({ code: 0 });
    await pipeline.caughtUp();
    const stores = pipelineStores(localAccess(pipeline.environment));
    const historyOf = async (device: string) => {
      const rows: unknown[] = [];
      for await (const { events } of stores.eventStore.pages(deviceId(device), { consistent: true })) {
        rows.push(...events.map(({ event: { time: at, type, data } }) => [Date.parse(at), type, data]));
      }
      return rows;
    };
    let rowsCompared = 0;
    for (const bus of new Set(flatRows().map(({ vehicle_id: vehicle }) => String(vehicle)))) {
      const recorded = await historyOf(bus);
      expect(await historyOf(`flat-${bus}`)).toEqual(recorded);
      expect((await deviceAt(`flat-${bus}`)).attributes).toEqual((await deviceAt(bus)).attributes);
      rowsCompared += recorded.length;
    }
    stores.close();
    expect(rowsCompared).toBe(RECORDED_ROWS);
  }, 60_000);

  test('leaves nothing in quarantine, and is stored as it is archived', async () => {
    const { ops, json } = operationsOf(pipeline, folder.path);
    expect((await ops('quarantine', 'list')).stdout).toContain('0 records');
    expect(await ops('doctor')).toMatchObject({
      code: EXIT_CODES.success,
      stdout: expect.stringContaining('0 missing, 16 not checked'),
    });
    // Firehose delivers after its buffering interval.
    const isArchived = async () => (await ops('verify', '--archive-lag', '0s')).code;
    await expect.poll(isArchived, { timeout: 60_000, interval: 1_000 }).toBe(EXIT_CODES.success);
    const events = SAMPLE_EVENTS + 2 * RECORDED_ROWS;
    expect(await json(EXIT_CODES.success, 'verify', '--archive-lag', '0s')).toMatchObject({
      equal: true,
      events,
      archive: { eventsFound: events, missing: 0 },
    });
  }, 90_000);

  test('lies in quarantine where no mapping knows it, and verify says how much does', async () => {
    const lines = join(folder.path, 'unknown.ndjson');
    writeFileSync(lines, '{"unknown":1}\n');
    expect((await pipeline.simulate('--input', lines, '--raw', 'unknown')).code).toBe(0);
    await pipeline.caughtUp();
    const { ops } = operationsOf(pipeline, folder.path);
    const verified = async () => (await ops('verify', '--archive-lag', '0s')).stdout;
    await expect
      .poll(verified, { timeout: 60_000, interval: 1_000 })
      .toMatch(/^equal: .* in quarantine 1 \(see quarantine list\)/);
  }, 90_000);
});
