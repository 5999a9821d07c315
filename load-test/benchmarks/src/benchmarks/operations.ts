import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { CreateStreamCommand, PutRecordsCommand, waitUntilStreamExists } from '@aws-sdk/client-kinesis';
import { kinesisClient } from '@twinstream/aws/kinesis';
import { type ArrivedEvent, decodeEvent, deviceId, newDevice } from '@twinstream/device-model';
import { memoryEventStore } from '@twinstream/event-store';
import { writeBatch } from '@twinstream/event-store/contract/chain-writer';
import { memoryLatestStateTable, memoryShardProgressTable } from '@twinstream/latest-state';
import { startKinesis } from '@twinstream/local-aws/kinesis';
import { memoryJobStore, newJob, type ReplayServices, runReplay, streamSource } from '@twinstream/operations';
import { memoryQuarantine } from '@twinstream/quarantine';
import { createLogger, externalSort, type SortableLine, systemClock } from '@twinstream/runtime';
import {
  comparePositions,
  encodeAggregate,
  type Position,
  sequenceNumber,
  shardId,
} from '@twinstream/stream-model';
import { readyMessage } from '@twinstream/test-kit';
import { verifyDevices } from '@twinstream/verification';
import type { Benchmark, Figure } from '../benchmark.ts';

const STREAM = 'benchmark';
const SHARDS = 4;
const DEVICES = 1_000;
const DRY_RUN_EVENTS = 600_000;
const EVENTS_A_RECORD = 200;
const RECORDS_A_REQUEST = 20;
const VERIFIED_DEVICES = 200;
const EVENTS_A_DEVICE = 1_000;
const EVENTS_A_PAGE = 25;
/** Ten million take some minutes: `OPERATIONS_BENCH_LINES=10000000 npm run bench -- operations`. */
const SORTED_LINES = Number(process.env.OPERATIONS_BENCH_LINES ?? 1_000_000);
const MIB = 1_024 * 1_024;
const SERVE = 'serve';
const START_TIME = Date.parse('2026-11-23T08:00:00Z');
/** The bars of the issue that asked for these commands. */
const DRY_RUN_AT_LEAST = 150_000;
const VERIFY_AT_LEAST = 50_000;
/** Measured: 456 MiB for one million lines, 557 for ten million, where 221 runs are merged in one pass. */
const SORT_MEMORY_AT_MOST_MIB = 640;

const signal = new AbortController().signal;

const benchmark: Benchmark = {
  name: 'operations',
  compares:
    `a dry run from the stream (embedded Kinesis in a process of its own, limits off, ${EVENTS_A_RECORD} events of some 170 ` +
    'bytes aggregated a record), verification on the memory adapter, and the ordering of an archive',
  run: async () => [...(await measureSort()), ...(await measureDryRun()), ...(await measureVerification())],
};
export default benchmark;

function eventText(device: number, counter: number): string {
  const id = `bus-${String(device).padStart(4, '0')}`;
  const time = new Date(START_TIME + counter * 1_000).toISOString();
  const data = {
    speedMph: (counter * 7) % 60,
    routeId: String(device % 40),
    lat: 30.2 + counter / 1e5,
    lon: -97.7,
  };
  return JSON.stringify({ v: 1, deviceId: id, type: 'reported', time, session: 1, counter, data });
}

async function measureDryRun(): Promise<Figure[]> {
  const server = await startServer();
  try {
    const client = clientOf(server.url);
    await fillStream(client);
    const services = dryRunServices(client);
    const spec = {
      isPolite: false,
      parts: [{ source: 'stream' as const, fromMs: 0, toMs: Date.now() }],
    };
    const job = newJob('benchmark', spec, START_TIME);
    const { seconds, cpuSeconds } = await timed(() => runReplay(services, job, signal));
    client.destroy();
    const events = Object.values(job.ledger).reduce((sum, { applied }) => sum + applied, 0);
    if (events !== DRY_RUN_EVENTS) throw new Error(`${events} of ${DRY_RUN_EVENTS} events were counted`);
    const note = `${events} events, ${SHARDS} shards; the server is another process`;
    return [
      rate('dry run from the stream, on one core', events / cpuSeconds, { atLeast: DRY_RUN_AT_LEAST, note }),
      rate('dry run from the stream, by the clock', events / seconds),
    ];
  } finally {
    server.child.kill('SIGTERM');
    await once(server.child, 'exit');
  }
}

interface Timed {
  readonly seconds: number;
  /** Processor time of this process, all its threads: what it would take on a core of its own. */
  readonly cpuSeconds: number;
}

async function timed(work: () => Promise<unknown>): Promise<Timed> {
  const cpu = process.cpuUsage();
  const start = performance.now();
  await work();
  const seconds = (performance.now() - start) / 1_000;
  const { user, system } = process.cpuUsage(cpu);
  return { seconds, cpuSeconds: (user + system) / 1e6 };
}

function rate(name: string, value: number, rest: Partial<Figure> = {}): Figure {
  return { name, subject: 'twinstream', value, unit: 'events/s', ...rest };
}

function clientOf(url: string) {
  return kinesisClient({
    endpoint: url,
    region: 'us-east-1',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
  });
}

function dryRunServices(client: ReturnType<typeof clientOf>): ReplayServices {
  const stores = { eventStore: memoryEventStore(), latestState: memoryLatestStateTable() };
  return {
    jobs: memoryJobStore(),
    stores,
    fresh: undefined,
    quarantine: memoryQuarantine(),
    shardProgress: memoryShardProgressTable(),
    streamName: STREAM,
    sourceOf: () => streamSource({ client, streamName: STREAM, clock: systemClock }, { isPolite: false }),
    write: async () => undefined,
    whilePaused: (work) => work(),
    clock: systemClock,
    logger: createLogger('benchmark', 'silent'),
  };
}

async function fillStream(client: ReturnType<typeof clientOf>): Promise<void> {
  await client.send(new CreateStreamCommand({ StreamName: STREAM, ShardCount: SHARDS }));
  await waitUntilStreamExists({ client, maxWaitTime: 30, minDelay: 0.1 }, { StreamName: STREAM });
  const utf8 = new TextEncoder();
  let records: { readonly PartitionKey: string; readonly Data: Uint8Array }[] = [];
  for (let at = 0; at < DRY_RUN_EVENTS; at += EVENTS_A_RECORD) {
    const events = Array.from({ length: EVENTS_A_RECORD }, (_, index) => {
      const device = (at + index) % DEVICES;
      const counter = Math.floor((at + index) / DEVICES) + 1;
      const data = utf8.encode(`${eventText(device, counter)}\n`);
      return { partitionKey: `bus-${String(device).padStart(4, '0')}`, data };
    });
    records.push({ PartitionKey: `lane-${at}`, Data: encodeAggregate(events) });
    if (records.length < RECORDS_A_REQUEST) continue;
    await client.send(new PutRecordsCommand({ StreamName: STREAM, Records: records }));
    records = [];
  }
}

async function measureVerification(): Promise<Figure[]> {
  const eventStore = memoryEventStore();
  const latestState = memoryLatestStateTable();
  const ids = Array.from({ length: VERIFIED_DEVICES }, (_, device) =>
    deviceId(`bus-${String(device).padStart(4, '0')}`),
  );
  const shard = shardId('shardId-000000000000');
  for (const [device, id] of ids.entries()) {
    let state = newDevice(id);
    for (let counter = 1; counter <= EVENTS_A_DEVICE; counter += EVENTS_A_PAGE) {
      const arrived = Array.from({ length: EVENTS_A_PAGE }, (_, index) => arrival(device, counter + index));
      state = (await writeBatch(eventStore, state, shard, arrived)).state;
    }
    await latestState.write(state);
  }
  const { cpuSeconds } = await timed(async () => {
    const { differences } = await verifyDevices({ eventStore, latestState }, ids, { clock: systemClock });
    if (differences.length > 0) throw new Error(`${differences.length} differences`);
  });
  const note = `memory adapter, pages of ${EVENTS_A_PAGE}, every event, state and page number`;
  const value = (VERIFIED_DEVICES * EVENTS_A_DEVICE) / cpuSeconds;
  return [rate('verification from the event store, on one core', value, { atLeast: VERIFY_AT_LEAST, note })];
}

function arrival(device: number, counter: number): ArrivedEvent {
  const decoded = decodeEvent(new TextEncoder().encode(eventText(device, counter)));
  if ('rejected' in decoded) throw new Error(decoded.detail);
  const place = { sequenceNumber: sequenceNumber(String(10_000_000 + counter)), subSequenceNumber: 0 };
  return { place, arrivalTime: START_TIME + counter, ...decoded };
}

async function measureSort(): Promise<Figure[]> {
  let peakBytes = 0;
  const watch = setInterval(() => {
    peakBytes = Math.max(peakBytes, process.memoryUsage.rss());
  }, 50);
  const before = process.memoryUsage.rss();
  let count = 0;
  const { cpuSeconds } = await timed(async () => {
    let last: Position | undefined;
    const sorted = externalSort(archiveLines(), { compare: comparePositions, keyOf: positionOf, signal });
    for await (const { key } of sorted) {
      if (last !== undefined && comparePositions(last, key) >= 0) throw new Error('not in order');
      last = key;
      count += 1;
    }
  });
  clearInterval(watch);
  if (count !== SORTED_LINES) throw new Error(`${count} of ${SORTED_LINES} lines`);
  const note = `${SORTED_LINES} lines of some 370 bytes, a tenth delivered twice, in no order`;
  return [
    rate('archive, ordered, on one core', count / cpuSeconds, { note }),
    {
      name: 'archive, memory of the whole process',
      subject: 'twinstream',
      value: peakBytes / MIB,
      unit: 'MiB',
      atMost: SORT_MEMORY_AT_MOST_MIB,
      note: `${Math.round(before / MIB)} MiB of them before it began; bounded by the size of a run and by the number of runs merged concurrently`,
    },
  ];
}

const NUMBERS_FROM = 49_590_338_271_490_256_608_559_692_538n;

/** Lines as the archive holds them: hour folders are no order of positions, and delivery is at least once. */
async function* archiveLines(): AsyncGenerator<SortableLine<Position>> {
  // A step that shares no factor with the count visits every line once, far from its neighbours.
  const step = 7_368_787;
  for (let index = 0; index < SORTED_LINES; index += 1) {
    const at = (index * step) % SORTED_LINES;
    const line = archiveLine(at);
    const key = positionOf(line);
    yield { key, line };
    if (index % 10 === 0) yield { key, line };
  }
}

function archiveLine(at: number): string {
  const shard = `shardId-00000000000${at % SHARDS}`;
  const number = (NUMBERS_FROM + BigInt(at)).toString().padEnd(56, '0');
  const event = eventText(at % DEVICES, Math.floor(at / DEVICES));
  const head = `{"shardId":"${shard}","sequenceNumber":"${number}","subSequenceNumber":0`;
  return `${head},"arrivalTime":"2026-11-23T08:00:00.000Z","partitionKey":"bus","event":${event}}`;
}

const HEAD = /^\{"shardId":"([^"]+)","sequenceNumber":"(\d+)"/;

function positionOf(line: string): Position {
  const [, shard = '', number = ''] = HEAD.exec(line) ?? [];
  return { shardId: shardId(shard), sequenceNumber: sequenceNumber(number), subSequenceNumber: 0 };
}

/** The Kinesis server in a process of its own, so that it takes nothing from the core that is measured. */
async function startServer(): Promise<{ readonly child: ChildProcess; readonly url: string }> {
  const child = fork(new URL(import.meta.url), [SERVE], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  return { child, url: String(await readyMessage(child)) };
}

if (process.argv[2] === SERVE && process.send !== undefined) {
  const server = await startKinesis({ logger: createLogger('kinesis', 'silent'), limitsEnforced: false });
  process.once('SIGTERM', () => void server.close().then(() => process.exit(0)));
  process.send(server.url);
}
