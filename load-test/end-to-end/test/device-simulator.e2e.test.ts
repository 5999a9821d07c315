import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import {
  CreateStreamCommand,
  DescribeStreamSummaryCommand,
  type KinesisClient,
} from '@aws-sdk/client-kinesis';
import { kinesisClient } from '@twinstream/aws/kinesis';
import { EXIT_CODES } from '@twinstream/command-line';
import { decodeEvent } from '@twinstream/device-model';
import { type LedgerEntry, type RunSummary, readLedger } from '@twinstream/device-simulator';
import { type KinesisServer, type KinesisServerOptions, startKinesis } from '@twinstream/local-aws/kinesis';
import { createLogger } from '@twinstream/runtime';
import { openRecord, positionKey, sequenceNumber } from '@twinstream/stream-model';
import { finished } from '@twinstream/test-kit';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

const MAIN = fileURLToPath(new URL('../../../producers/device-simulator/src/main.ts', import.meta.url));
const REPOSITORY = fileURLToPath(new URL('../../..', import.meta.url));
const STREAM = 'device-events';
const ACTIVE_DEADLINE_MS = 10_000;
/** A signal so soon after the first is the first again. */
const ECHO_MS = 400;

type FaultInjector = NonNullable<KinesisServerOptions['faults']>;

let folder: string;
let server: KinesisServer | undefined;
let client: KinesisClient | undefined;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'twinstream-simulator-'));
});
afterEach(async () => {
  client?.destroy();
  client = undefined;
  await server?.close();
  server = undefined;
  rmSync(folder, { recursive: true, force: true });
});

async function startStream(options: KinesisServerOptions = {}): Promise<KinesisServer> {
  const started = await startKinesis({ logger: createLogger('kinesis', 'silent'), ...options });
  server = started;
  const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };
  client = kinesisClient({ endpoint: started.url, region: 'us-east-1', credentials });
  await client.send(new CreateStreamCommand({ StreamName: STREAM, ShardCount: 3 }));
  for (const giveUpAt = Date.now() + ACTIVE_DEADLINE_MS; Date.now() < giveUpAt; ) {
    const { StreamDescriptionSummary } = await client.send(
      new DescribeStreamSummaryCommand({ StreamName: STREAM }),
    );
    if (StreamDescriptionSummary?.StreamStatus === 'ACTIVE') return started;
  }
  throw new Error('the stream does not become active');
}

type Simulator = ChildProcessByStdio<null, Readable, Readable>;

function startSimulator(...args: readonly string[]): Simulator {
  return startProcess(process.execPath, [MAIN, ...args], folder);
}

/** The simulator as the README starts it: the process is npm's. */
function startByNpm(...args: readonly string[]): Simulator {
  return startProcess('npm', ['run', '--silent', 'simulate', '--', ...args], REPOSITORY);
}

function startProcess(command: string, args: readonly string[], cwd: string): Simulator {
  return spawn(command, args, {
    cwd,
    env: {
      PATH: process.env.PATH,
      NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE,
      AWS_REGION: 'us-east-1',
      AWS_ACCESS_KEY_ID: 'local',
      AWS_SECRET_ACCESS_KEY: 'local',
      AWS_ENDPOINT_URL_KINESIS: server?.url,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

interface Run {
  readonly code: number | null | undefined;
  readonly summary: RunSummary;
  readonly stderr: string;
  readonly ledger: readonly LedgerEntry[];
}

async function simulate(...args: readonly string[]): Promise<Run> {
  return runOf(startSimulator('--output', 'json', '--ledger', 'ledger.ndjson', ...args));
}

async function runOf(child: Simulator): Promise<Run> {
  const { code, stdout, stderr } = await finished(child);
  if (stdout === '') throw new Error(`no summary; exit code ${code}: ${stderr}`);
  const ledger: LedgerEntry[] = [];
  for await (const entry of readLedger(join(folder, 'ledger.ndjson'))) ledger.push(entry);
  return { code, summary: JSON.parse(stdout), stderr, ledger };
}

interface InStream {
  readonly position: string;
  readonly deviceId: string;
  readonly bytes: Buffer;
}

/** Every user record of the stream, shard by shard in its order. */
function inStream(): readonly InStream[] {
  return (server?.records(STREAM) ?? []).flatMap(({ shardId, records }) =>
    records.flatMap((record) =>
      openRecord(record).entries.map(({ partitionKey, data, subSequenceNumber }) => ({
        position: positionKey({
          shardId,
          sequenceNumber: sequenceNumber(record.sequenceNumber),
          subSequenceNumber,
        }),
        deviceId: partitionKey,
        bytes: Buffer.from(data),
      })),
    ),
  );
}

/** What a line of the ledger says was sent. */
function sentBytes(entry: LedgerEntry): Buffer {
  return entry.base64 === undefined
    ? Buffer.from(`${JSON.stringify(entry.event)}\n`)
    : Buffer.from(entry.base64, 'base64');
}

/** The ledger holds each acknowledged event where the stream has it, byte for byte. */
function expectLedgerTrue(ledger: readonly LedgerEntry[]): void {
  const stored = new Map(inStream().map((record) => [record.position, record]));
  for (const entry of ledger.filter(({ result }) => result === 'acknowledged')) {
    if (entry.position === undefined) throw new Error('acknowledged without a position');
    const record = stored.get(positionKey(entry.position));
    expect(record?.deviceId).toBe(entry.deviceId);
    expect(record?.bytes.toString('latin1')).toBe(sentBytes(entry).toString('latin1'));
  }
}

/** First arrivals of each device's events in the stream, as session and counter, where they can be decoded. */
function firstArrivals(): Map<string, string[]> {
  const arrivals = new Map<string, string[]>();
  const seen = new Set<string>();
  for (const { deviceId, bytes } of inStream()) {
    const decoded = decodeEvent(bytes);
    if ('rejected' in decoded) continue;
    const identity = `${decoded.event.identity?.session}.${decoded.event.identity?.counter}`;
    if (seen.has(`${deviceId} ${identity}`)) continue;
    seen.add(`${deviceId} ${identity}`);
    arrivals.set(deviceId, [...(arrivals.get(deviceId) ?? []), identity]);
  }
  return arrivals;
}

/** The same as the ledger has it, in the order of sending. */
function sentOrder(ledger: readonly LedgerEntry[]): Map<string, string[]> {
  const order = new Map<string, string[]>();
  const seen = new Set<string>();
  for (const { deviceId, session, counter, base64 } of ledger.toSorted((a, b) => a.n - b.n)) {
    const identity = `${session}.${counter}`;
    if (base64 !== undefined || seen.has(`${deviceId} ${identity}`)) continue;
    seen.add(`${deviceId} ${identity}`);
    order.set(deviceId, [...(order.get(deviceId) ?? []), identity]);
  }
  return order;
}

describe.each([
  ['plain records', []],
  ['aggregated records', ['--aggregate']],
])('a simulated fleet in %s', (_, delivery) => {
  test('reaches the stream whole, in order, and the summary and the ledger say exactly what the server saw', async () => {
    const started = await startStream();
    const { code, summary, ledger, stderr } = await simulate(
      ...['--devices', '50', '--rate', '1500', '--duration', '2s', '--seed', '11', ...delivery],
      ...['--duplicates', '3', '--out-of-order', '3', '--late', '3', '--drop', '2', '--malformed', '2'],
      ...['--clock-skew', '10', '--max-delay', 'never'],
    );
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const { faults } = summary;
    expect(summary.scheduled).toBe(3_000 + faults.duplicates - faults.drop);
    expect(summary).toMatchObject({
      sent: summary.scheduled,
      acknowledged: summary.scheduled,
      failed: 0,
      dropped: 0,
      interrupted: false,
    });
    expect(inStream()).toHaveLength(summary.acknowledged);
    if (delivery.length === 0) expect(started.counters().recordsAccepted).toBe(summary.acknowledged);
    else expect(started.counters().recordsAccepted).toBeLessThan(summary.acknowledged / 2);

    expect(ledger).toHaveLength(3_000 + faults.duplicates);
    expect(ledger.map(({ n }) => n).sort((a, b) => a - b)).toEqual(ledger.map((_entry, index) => index + 1));
    for (const fault of ['duplicates', 'outOfOrder', 'late', 'drop', 'malformed'] as const) {
      expect(faults[fault], fault).toBeGreaterThan(10);
      expect(ledger.filter((entry) => entry.fault === fault)).toHaveLength(faults[fault]);
    }
    expect(ledger.filter(({ clockSkewMs }) => clockSkewMs !== undefined)).toHaveLength(faults.clockSkew);
    expect(faults.clockSkew).toBeGreaterThan(10);
    expectLedgerTrue(ledger);
    expect(firstArrivals()).toEqual(sentOrder(ledger.filter(({ result }) => result === 'acknowledged')));
  });
});

describe('a simulated fleet', () => {
  test('is the same for the same seed, byte for byte, whatever the rate is kept by', async () => {
    await startStream();
    const args = ['--devices', '30', '--rate', '2000', '--count', '2000', '--seed', '5', '--duplicates', '5'];
    const eventsOf = ({ ledger }: Run) =>
      ledger.toSorted((a, b) => a.n - b.n).map(({ event, fault }) => JSON.stringify([event, fault]));
    const first = eventsOf(await simulate(...args));
    expect(eventsOf(await simulate(...args, '--aggregate'))).toEqual(first);
    expect(first.length).toBeGreaterThan(2_000);
  });

  test('loses nothing to throttles, partial failures and lost answers, and counts what was sent again', async () => {
    const started = await startStream({ faults: troubles() });
    const { code, summary, ledger } = await simulate(
      ...['--devices', '40', '--rate', '1000', '--count', '3000', '--seed', '3', '--max-delay', 'never'],
    );
    expect(code).toBe(0);
    expect(summary).toMatchObject({
      scheduled: 3_000,
      sent: 3_000,
      acknowledged: 3_000,
      failed: 0,
      dropped: 0,
    });
    expect(summary.retried).toBeGreaterThan(100);
    expect(ledger.reduce((sum, { attempts = 0 }) => sum + attempts - 1, 0)).toBe(summary.retried);
    const { recordsAccepted, faults } = started.counters();
    expect(faults.answersLost).toBeGreaterThan(0);
    // A lost answer leaves a copy behind; nothing else does.
    expect(recordsAccepted).toBeGreaterThan(3_000);
    expectLedgerTrue(ledger);
    expect(firstArrivals()).toEqual(sentOrder(ledger));
  });

  test('that is interrupted waits for what is on its way: a Ctrl-C that npm passes on twice is one', async () => {
    await startStream();
    const child = startSimulator('--output', 'json', '--ledger', 'ledger.ndjson', '--rate', '500');
    const running = runOf(child);
    await expect.poll(() => inStream().length, { timeout: 20_000 }).toBeGreaterThan(50);
    child.kill('SIGINT');
    child.kill('SIGINT');
    const { code, summary, ledger } = await running;
    expect(code).toBe(0);
    expect(summary).toMatchObject({ interrupted: true, failed: 0, dropped: 0 });
    expect(summary.acknowledged).toBe(summary.scheduled);
    expect(inStream()).toHaveLength(summary.acknowledged);
    expect(ledger).toHaveLength(summary.acknowledged);
  });

  test('that npm started ends in order, with its own exit code, when npm alone is told to stop', async () => {
    await startStream();
    const child = startByNpm(
      ...[
        '--output',
        'json',
        '--ledger',
        join(folder, 'ledger.ndjson'),
        '--rate',
        '500',
        '--duration',
        '60s',
      ],
    );
    const running = runOf(child);
    await expect.poll(() => inStream().length, { timeout: 20_000 }).toBeGreaterThan(50);
    child.kill('SIGINT');
    const { code, summary } = await running;
    expect(code).toBe(0);
    expect(summary).toMatchObject({ interrupted: true, failed: 0, dropped: 0 });
    expect(inStream()).toHaveLength(summary.acknowledged);
  });

  test('that is interrupted twice stops immediately, and says what it does not know', async () => {
    await startStream({ faults: silence() });
    const child = startSimulator('--output', 'json', '--ledger', 'ledger.ndjson', '--rate', '500');
    const running = runOf(child);
    await expect
      .poll(() => server?.counters().requests.PutRecords ?? 0, { timeout: 20_000 })
      .toBeGreaterThan(0);
    child.kill('SIGINT');
    // Later than an echo of the first one could come.
    const firstAt = Date.now();
    await expect.poll(() => Date.now() - firstAt, { timeout: 5_000 }).toBeGreaterThan(ECHO_MS);
    const secondAt = Date.now();
    child.kill('SIGINT');
    const { code, summary, ledger } = await running;
    expect(Date.now() - secondAt).toBeLessThan(3_000);
    expect(code).toBe(1);
    expect(summary.acknowledged).toBe(0);
    expect(summary.failed).toBe(summary.scheduled);
    expect(summary.failedByReason).toEqual({ PRODUCER_ABORTED: summary.failed });
    expect(summary.possiblyStored).toBeGreaterThan(0);
    expect(ledger.filter(({ possiblyStored }) => possiblyStored)).toHaveLength(summary.possiblyStored);
  });

  test('that finds no such stream exits 4, and says what to do', async () => {
    await startStream();
    const { code, stdout, stderr } = await finished(startSimulator('--stream', 'nowhere', '--count', '1'));
    expect(stderr).toMatch(/^there is no stream "nowhere" at http:.*npx twinstream start.*--stream\n$/);
    expect({ code, stdout }).toEqual({ code: EXIT_CODES.unavailable, stdout: '' });
  });
});

describe('a recording', () => {
  const at = (second: number): string => `2017-03-21T00:00:${String(second).padStart(2, '0')}-05:00`;
  const rows = Array.from({ length: 900 }, (_, index) => ({
    vehicle: `${2_000 + (index % 30)}`,
    second: (index * 37) % 60,
    speed: (index % 50) + 0.25,
    note: index % 7 === 0 ? '' : `stop ${index}`,
  }));
  const csv = `vehicle_id,timestamp,speed,note\n${rows
    .map(({ vehicle, second, speed, note }) => `${vehicle},${at(second)},${speed},${note}`)
    .join('\n')}\n2001,never,1,bad\n`;
  const columns = ['--id-column', 'vehicle_id', '--time-column', 'timestamp'];

  test('is sent in order of time: each device gets its rows, sorted, counted from 1', async () => {
    await startStream();
    writeFileSync(join(folder, 'day'), gzipSync(csv));
    const { code, summary, stderr, ledger } = await simulate('--input', 'day', ...columns, '--order', 'time');
    expect(code).toBe(0);
    expect(stderr).toMatch(/^line 902: the time "never" is not ISO 8601 with an offset/);
    expect(summary).toMatchObject({ scheduled: 900, acknowledged: 900, rejectedRows: { count: 1 } });
    expect(summary.rejectedRows.first).toMatchObject([{ line: 902 }]);
    expectLedgerTrue(ledger);
    const histories = Map.groupBy(inStream(), ({ deviceId }) => deviceId);
    expect(histories.size).toBe(30);
    for (const [vehicle, records] of histories) {
      const expected = rows
        .filter((row) => row.vehicle === vehicle)
        .toSorted((a, b) => a.second - b.second)
        .map(({ second, speed, note }, index) => ({
          v: 1,
          deviceId: vehicle,
          type: 'reported',
          time: `2017-03-21T05:00:${String(second).padStart(2, '0')}.000Z`,
          session: summary.session,
          counter: index + 1,
          data: { speed, note: note === '' ? null : note },
        }));
      expect(records.map(({ bytes }) => JSON.parse(bytes.toString()))).toEqual(expected);
    }
  });

  test('sent again with the same session is the same, byte for byte', async () => {
    await startStream();
    writeFileSync(join(folder, 'day.csv'), csv);
    const args = ['--input', 'day.csv', ...columns, '--order', 'time', '--session', '77'];
    await simulate(...args);
    const first = inStream().map(({ bytes }) => bytes.toString());
    await simulate(...args);
    const both = inStream().map(({ bytes }) => bytes.toString());
    expect(both.toSorted()).toEqual([...first, ...first].toSorted());
  });

  test('made of a ledger’s events is sent as it stands', async () => {
    await startStream();
    const { ledger } = await simulate('--count', '200', '--rate', '1000', '--seed', '1');
    const lines = ledger.toSorted((a, b) => a.n - b.n).map(({ event }) => JSON.stringify(event));
    writeFileSync(join(folder, 'events.ndjson'), lines.join('\n'));
    const { summary } = await simulate('--input', 'events.ndjson');
    expect(summary.acknowledged).toBe(200);
    const texts = inStream().map(({ bytes }) => bytes.toString().trimEnd());
    expect(texts.toSorted()).toEqual([...lines, ...lines].toSorted());
  });
});

/** A tenth of the records fails, every twentieth request is throttled, every fiftieth loses its answer. */
function troubles(): FaultInjector {
  let requests = 0;
  let records = 0;
  return {
    decide(_service, operation) {
      if (operation !== 'PutRecords') return undefined;
      requests += 1;
      const refusal = requests % 20 === 0 ? 'throttle' : undefined;
      const answerLost = requests % 50 === 7;
      const recordFails = () => {
        records += 1;
        return records % 10 === 0;
      };
      return { delayMs: 0, refusal, answerLost, recordFails };
    },
  };
}

/** PutRecords takes effect, and its answer never comes in the time of a test. */
function silence(): FaultInjector {
  return {
    decide: (_service, operation) =>
      operation === 'PutRecords'
        ? { delayMs: 60_000, refusal: undefined, answerLost: false, recordFails: undefined }
        : undefined,
  };
}
