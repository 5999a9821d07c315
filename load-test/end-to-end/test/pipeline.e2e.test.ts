import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { KinesisClient, PutRecordCommand } from '@aws-sdk/client-kinesis';
import {
  OPERATIONS,
  type PipelineStatus,
  type WholeDevice,
  type WholeDeviceList,
} from '@twinstream/api-contract';
import { EXIT_CODES } from '@twinstream/command-line';
import { type DeviceEvent, deviceId, encodeEvent } from '@twinstream/device-model';
import { freePort } from '@twinstream/runtime/free-port';
import { finished } from '@twinstream/test-kit';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { localAccess } from '../src/pipeline-access.ts';
import { checkPipeline, pipelineStores } from '../src/pipeline-stores.ts';
import { type RunningPipeline, refusedStart, runPipeline, temporaryFolder } from '../src/running-pipeline.ts';
import { interpolated, readDashboard, readExposition } from './grafana-dashboard.ts';
import { startSpanReceiver } from './span-receiver.ts';

/** Positions of a made-up bus day: rows that collide on vehicle and time, empty cells, file order by trip. */
function busDay(): { readonly csv: string; readonly rowCount: number; readonly vehicleCount: number } {
  const rows: string[] = [];
  const vehicleCount = 12;
  for (let vehicle = 0; vehicle < vehicleCount; vehicle += 1) {
    for (const trip of [2, 1]) {
      for (let minute = 0; minute < 40; minute += 1) {
        const hour = String(5 + trip).padStart(2, '0');
        // Every other row has the time of the one before it.
        const time = `2017-03-21T${hour}:${String(minute - (minute % 2)).padStart(2, '0')}:31-05:00`;
        const headsign = minute % 7 === 0 ? '' : `1-Metric, ${trip}`;
        rows.push(
          `${2600 + vehicle},${time},${(minute * 1.5).toFixed(2)},${trip},30.2${minute},"${headsign}"`,
        );
      }
    }
  }
  const csv = `vehicle_id,timestamp,speed,trip_id,latitude,trip_headsign\n${rows.join('\n')}\n`;
  return { csv, rowCount: rows.length, vehicleCount };
}

async function until(what: string, isTrue: () => Promise<boolean>, deadlineMs = 30_000): Promise<void> {
  const deadline = Date.now() + deadlineMs;
  while (!(await isTrue())) {
    if (Date.now() > deadline) throw new Error(`not in time: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

async function getJson<Body>(url: string): Promise<{ status: number; body: Body }> {
  const response = await fetch(url);
  return { status: response.status, body: (await response.json()) as Body };
}

/** What a selector of a data source finds: `counts.gaps`. */
function valueAt(row: unknown, selector: string): unknown {
  return selector.split('.').reduce((value: unknown, name) => Object(value)[name], row);
}

describe('the pipeline on one command', () => {
  const folder = temporaryFolder();
  let pipeline: RunningPipeline;

  let receiver: Awaited<ReturnType<typeof startSpanReceiver>>;

  beforeAll(async () => {
    receiver = await startSpanReceiver();
    vi.stubEnv('OTEL_EXPORTER_OTLP_ENDPOINT', receiver.url);
    pipeline = await runPipeline(folder.path);
  }, 120_000);
  afterAll(async () => {
    vi.unstubAllEnvs();
    const code = await pipeline.stop();
    receiver.close();
    folder.dispose();
    expect(code).toBe(0);
  }, 60_000);

  test('a recorded day, sent twice, is stored once: history, state and archive equal the file', async () => {
    const { csv, rowCount, vehicleCount } = busDay();
    const input = join(folder.path, 'day.csv');
    writeFileSync(input, csv);
    const flags = ['--input', input, '--id-column', 'vehicle_id', '--time-column', 'timestamp'];
    const run = ['--order', 'time', '--speed', 'max', '--session', '7', '--output', 'json'];
    const ledgers = [join(folder.path, 'first.ndjson'), join(folder.path, 'second.ndjson')];
    for (const ledger of ledgers) {
      const { code, stdout } = await pipeline.simulate(...flags, ...run, '--ledger', ledger);
      expect(code).toBe(0);
      expect(JSON.parse(stdout)).toMatchObject({ scheduled: rowCount, acknowledged: rowCount, failed: 0 });
    }
    await pipeline.caughtUp();
    await until('the archive has both runs', async () => {
      const { archived } = await checkPipeline(pipeline.environment, ledgers);
      return archived === 2 * rowCount;
    });
    const report = await checkPipeline(pipeline.environment, ledgers);
    expect(report).toEqual({
      devices: vehicleCount,
      sent: rowCount,
      stored: rowCount,
      duplicates: rowCount,
      late: 0,
      malformed: 0,
      archived: 2 * rowCount,
      violations: [],
    });
    const { body } = await getJson<WholeDevice>(`${pipeline.apiUrl}/v1/devices/2600`);
    expect(body).toMatchObject({
      attributes: { speed: 58.5, trip_id: 2, latitude: 30.239, trip_headsign: '1-Metric, 2' },
      version: { session: 7, counter: 80 },
      counts: { events: 80, duplicates: 80, late: 0, gaps: 0 },
      lastEventTime: '2017-03-21T12:38:31.000Z',
    });
  }, 120_000);

  test('a sampled event has one trace from its put to its state, whose context the history keeps, and others have none', async () => {
    // A try after this one finds another device, and its own spans.
    const prefix = `traced-${Date.now()}-`;
    receiver.forget();
    const fleet = ['--kinds', 'meter=1', '--devices', '1', '--device-prefix', prefix, '--rate', 'max'];
    const untraced = await pipeline.simulate(...fleet, '--count', '20', '--session', '1');
    const traced = await pipeline.simulate(...fleet, '--count', '1', '--session', '9', '--trace-ratio', '1');
    expect([untraced.code, traced.code, traced.stderr]).toEqual([0, 0, expect.not.stringContaining('spans')]);
    const way = ['put', 'state-projector', 'page stored', 'state visible'];
    const named = (name: string) => receiver.spans.filter((span) => span.name === name);
    await until(
      'all spans came',
      async () => [...way, 'event-archiver'].every((name) => named(name).length > 0),
      60_000,
    );
    expect(receiver.spans).toHaveLength(way.length + 1);
    const [put, projector, page, state] = way.map((name) => named(name)[0]);
    expect(new Set(receiver.spans.map(({ traceId }) => traceId)).size).toBe(1);
    expect(put).not.toHaveProperty('parentSpanId');
    expect(projector?.parentSpanId).toBe(put?.spanId);
    expect([page?.parentSpanId, state?.parentSpanId]).toEqual([projector?.spanId, projector?.spanId]);
    const starts = [put, projector, page, state].map((span) => BigInt(span?.startTimeUnixNano ?? 0));
    expect(starts).toEqual([...starts].sort((a, b) => (a < b ? -1 : 1)));

    await pipeline.caughtUp();
    const id = `${prefix}meter-000001`;
    const { body } = await getJson<WholeDevice>(`${pipeline.apiUrl}/v1/devices/${id}`);
    expect(body).toMatchObject({ counts: { events: 21, duplicates: 0 }, version: { session: 9 } });
    expect(body.attributes).not.toHaveProperty('traceparent');
    const history = await fetch(`${pipeline.apiUrl}/v1/devices/${id}/events?limit=100`);
    expect((await history.text()).match(/"traceparent":"[^"]*"/g)).toEqual([
      `"traceparent":"00-${put?.traceId}-${put?.spanId}-01"`,
    ]);
  }, 120_000);

  test('metrics of all processes are one scrape, and the Grafana dashboard asks for what is there alone', async () => {
    const { metrics, apiQueries, variables } = readDashboard();
    const device = 'watched-thermostat-000001';
    const port = await freePort();
    const simulator = pipeline.startSimulator(
      ...['--kinds', 'thermostat=1', '--devices', '3', '--device-prefix', 'watched-'],
      ...['--rate', '100', '--metrics-port', String(port)],
    );
    const done = finished(simulator);
    const scrape = async (url: string) => {
      const response = await fetch(url).catch(() => undefined);
      return response?.ok ? response.text() : '';
    };
    let ofSimulator = '';
    await until('the simulator has answers', async () => {
      ofSimulator = await scrape(`http://127.0.0.1:${port}/metrics`);
      return /^twinstream_simulator_acknowledged_total [1-9]\d\d/m.test(ofSimulator);
    });
    simulator.kill('SIGINT');
    expect((await done).code).toBe(0);
    await pipeline.caughtUp();
    await fetch(`${pipeline.apiUrl}/v1/devices/${device}`);
    const ofPipeline = await scrape(`${pipeline.apiUrl}/metrics`);

    const { types, samples, labels } = readExposition(ofPipeline + ofSimulator);
    expect([...metrics].filter((name) => !samples.has(name))).toEqual([]);
    const stored = Number(/^twinstream_projector_applied_total (\d+)$/m.exec(ofPipeline)?.[1]);
    expect(stored).toBeGreaterThan(100);
    for (const process of ['supervisor', 'emulators', 'state-projector', 'event-archiver']) {
      expect(ofPipeline).toContain(`\ntwinstream_process_up{process="${process}"} 1\n`);
      expect(ofPipeline).toMatch(
        new RegExp(`^process_resident_memory_bytes\\{process="${process}"\\} \\d+$`, 'm'),
      );
    }
    const own = [...types].filter(([name]) => name.startsWith('twinstream_'));
    expect(own.filter(([name, type]) => name.endsWith('_total') !== (type === 'counter'))).toEqual([]);
    const bounded = ['error', 'function', 'le', 'method', 'operation', 'part', 'process', 'reason', 'result'];
    const known = new Set([
      ...bounded,
      'route',
      'shard',
      'state',
      'status',
      'kind',
      'quantile',
      'space',
      'type',
      'version',
      'major',
      'minor',
      'patch',
    ]);
    expect([...labels].filter((name) => !known.has(name))).toEqual([]);
    expect(ofPipeline + ofSimulator).not.toContain('watched-');

    const now = Date.now();
    const values = new Map([
      ...variables,
      ['device', device],
      ['__from', new Date(now - 60_000).toISOString()],
      ['__to', new Date(now + 1_000).toISOString()],
    ]);
    expect(apiQueries.map(({ panel }) => panel)).toHaveLength(2);
    for (const { panel, url, rootSelector, selectors } of apiQueries) {
      const asked = new URL(interpolated(url, values), pipeline.apiUrl);
      const path = asked.pathname.replace(device, '{deviceId}');
      expect(
        OPERATIONS.map((operation) => operation.path),
        panel,
      ).toContain(path);
      const { status, body } = await getJson<Record<string, readonly object[]>>(asked.href);
      expect([panel, status]).toEqual([panel, 200]);
      const rows = body[rootSelector];
      if (path.endsWith('/series')) expect(rows?.length, panel).toBeGreaterThan(0);
      for (const row of rows ?? []) {
        const missing = selectors.filter((selector) => valueAt(row, selector) === undefined);
        expect([panel, missing]).toEqual([panel, []]);
      }
    }
  }, 120_000);

  test('what any client puts is stored, and an invalid record is in quarantine without blocking its shard', async () => {
    const id = deviceId('hand-1');
    const event = (counter: number): DeviceEvent => ({
      v: 1,
      deviceId: id,
      type: 'reported',
      time: '2026-01-01T00:00:00Z',
      identity: { session: 1, counter },
      data: { n: counter },
    });
    const aggregate = aggregated(id, [encodeEvent(event(2)), encodeEvent(event(3))]);
    const malformed: readonly Uint8Array[] = [
      new Uint8Array(),
      Buffer.from('speed=17'),
      Buffer.from('[1,2]'),
      Buffer.from('{"v":1,"type":"reported","time":"2026-01-01T00:00:00Z","data":{}}'),
      Buffer.from(JSON.stringify({ ...event(9), deviceId: 'x'.repeat(257) })),
      Buffer.from('{"v":1,"deviceId":"hand-1","type":"reported","time":"noon","data":{}}'),
      Buffer.alloc(300 * 1024, 'x'),
      Uint8Array.of(0x7b, 0xff, 0xfe, 0x7d),
      aggregate.subarray(0, aggregate.length - 5),
      Buffer.concat([aggregate.subarray(0, aggregate.length - 1), Buffer.of((aggregate.at(-1) ?? 0) ^ 1)]),
    ];
    // The SDK's default transport, as any tool would have it.
    const client = new KinesisClient({
      region: 'us-east-1',
      endpoint: pipeline.environment.AWS_ENDPOINT_URL_KINESIS ?? '',
      credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    });
    const put = (Data: Uint8Array) =>
      client.send(new PutRecordCommand({ StreamName: 'device-events', PartitionKey: id, Data }));
    await put(encodeEvent(event(1)));
    await put(aggregate);
    for (const data of malformed) await put(data);
    await put(encodeEvent(event(4)));
    client.destroy();

    await until('the last event is in the state', async () => {
      const { status, body } = await getJson<WholeDevice>(`${pipeline.apiUrl}/v1/devices/${id}`);
      return status === 200 && body.counts.events === 4;
    });
    const stores = pipelineStores(localAccess(pipeline.environment));
    const listings = await Array.fromAsync(stores.quarantine.list());
    const kept = await Promise.all(listings.map(({ key }) => stores.quarantine.read(key)));
    stores.close();
    const inOrder = kept.toSorted((a, b) => ((a?.sequenceNumber ?? '') < (b?.sequenceNumber ?? '') ? -1 : 1));
    expect(inOrder.map((record) => record?.entries.map(({ reason }) => reason).join())).toEqual([
      'empty',
      'not-json',
      'not-object',
      'missing-device-id',
      'invalid-device-id',
      'invalid-time',
      'too-large',
      'invalid-utf8',
      'damaged-aggregate',
      'damaged-aggregate',
    ]);
    expect(inOrder.map((record) => Buffer.from(record?.data ?? []))).toEqual(
      malformed.map((data) => Buffer.from(data)),
    );
    await until('the API counts them', async () => {
      const { body } = await getJson<PipelineStatus>(`${pipeline.apiUrl}/v1/pipeline`);
      return body.quarantined === malformed.length;
    });
  }, 120_000);
});

test('Ctrl-C during load, then a restart with the same folder: nothing lost, nothing twice', async () => {
  const folder = temporaryFolder();
  const ledgers = [join(folder.path, 'first.ndjson'), join(folder.path, 'second.ndjson')];
  const flags = ['--devices', '40', '--rate', '400', '--duplicates', '2', '--late', '2', '--malformed', '1'];
  try {
    const first = await runPipeline(folder.path, '--data-dir', join(folder.path, 'data'));
    const simulator = first.startSimulator(...flags, '--ledger', ledgers[0] ?? '', '--deadline', '5s');
    const simulated = finished(simulator);
    await until('devices are moving', async () => {
      const { body } = await getJson<WholeDeviceList>(`${first.apiUrl}/v1/devices?limit=100`);
      return body.devices.length === 40;
    });
    expect(await first.stop()).toBe(0);
    simulator.kill('SIGINT');
    await simulated;

    const second = await runPipeline(folder.path, '--data-dir', join(folder.path, 'data'));
    const again = await second.simulate(...flags, '--duration', '3s', '--ledger', ledgers[1] ?? '');
    expect(again.code).toBe(0);
    await second.caughtUp();
    await until('the archive is complete', async () => {
      const { violations } = await checkPipeline(second.environment, ledgers);
      return violations.every(({ kind }) => kind !== 'not-archived');
    });
    const report = await checkPipeline(second.environment, ledgers);
    expect(report.violations).toEqual([]);
    expect(report.sent).toBeGreaterThan(400);
    expect(await second.stop()).toBe(0);
  } finally {
    folder.dispose();
  }
}, 180_000);

describe('what cannot start says so in one line', () => {
  test('a taken port', async () => {
    const folder = temporaryFolder();
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const { code, stderr } = await refusedStart(folder.path, '--port', String(port));
    server.close();
    folder.dispose();
    expect(stderr).toBe(`twinstream: port ${port} is taken by another process\n`);
    expect(code).toBe(EXIT_CODES.refused);
  });

  test('a data folder that is a file', async () => {
    const folder = temporaryFolder();
    const file = join(folder.path, 'file');
    writeFileSync(file, '');
    const { code, stderr } = await refusedStart(folder.path, '--port', '0', '--data-dir', file);
    folder.dispose();
    expect(stderr).toBe(`twinstream: --data-dir ${file} is not a writable folder\n`);
    expect(code).toBe(EXIT_CODES.usage);
  });

  test('a part that ends before the others are ready', async () => {
    const folder = temporaryFolder();
    vi.stubEnv('TWINSTREAM_STALE_AFTER', '1h');
    const { code, stderr } = await refusedStart(folder.path, '--port', '0').finally(() => vi.unstubAllEnvs());
    folder.dispose();
    expect(stderr).toContain('TWINSTREAM_OFFLINE_AFTER');
    expect(stderr).toMatch(/^twinstream: query-api ended before it was ready/m);
    expect(code).toBe(EXIT_CODES.unavailable);
  }, 90_000);

  test('a wrong flag', async () => {
    const folder = temporaryFolder();
    const { code, stderr } = await refusedStart(folder.path, '--shards', 'many');
    folder.dispose();
    expect(stderr).toContain('--shards');
    expect(code).toBe(EXIT_CODES.usage);
  });
});

// The package's own types need two packages that nothing else here does.
const {
  RecordAggregator,
}: {
  readonly RecordAggregator: new () => {
    addUserRecord(record: { readonly partitionKey: string; readonly data: Uint8Array }): void;
    build(): { readonly data: Buffer };
  };
} = createRequire(import.meta.url)('aws-kinesis-agg');

function aggregated(partitionKey: string, data: readonly Uint8Array[]): Uint8Array {
  const aggregator = new RecordAggregator();
  for (const each of data) aggregator.addUserRecord({ partitionKey, data: each });
  return aggregator.build().data;
}
