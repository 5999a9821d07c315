import { type ChildProcess, fork } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startKinesis } from '@twinstream/local-aws/kinesis';
import { kill, readyMessage, startKinesisLocal } from '@twinstream/test-kit';
import type { Benchmark, Figure } from '../benchmark.ts';

const RECORDS_A_REQUEST = 500;
const DATA_BYTES = 200;
const SHARDS = 4;
const DEVICES = 5_000;
const BODIES = 40;
/** Concurrent requests, so that the server never waits for its client. */
const LANES = 4;
/** Argument that makes this file the server's process. */
const SERVE = 'serve';
const MEASURED_MS = 6_000;
const WARM_UP_MS = 1_500;
const READY_MS_MAX = 20_000;
const RECORD_MEMORY_BYTES_MAX = 3 * 1024 ** 3;
const STREAM = 'benchmark';
/** The bars of the issue that asked for this server. */
const PUT_AT_LEAST = 80_000;
const GET_AT_LEAST = 120_000;
/** Linux counts processor time in hundredths of a second: getconf CLK_TCK. */
const CPU_TICKS_PER_SECOND = 100;

interface Subject {
  readonly name: string;
  readonly isHeldToBars: boolean;
  readonly port: number;
  readonly child: ChildProcess;
}

/** What a server did in one measurement. */
interface Measured {
  readonly records: number;
  readonly seconds: number;
  /** Processor time of the server's whole process, all its threads; undefined where the system does not tell. */
  readonly cpuSeconds: number | undefined;
}

const benchmark: Benchmark = {
  name: 'kinesis-server',
  compares:
    'the embedded Kinesis server (records in memory, then in a data folder) and kinesis-local, one after the other, each ' +
    `alone in a process with the client in another: HTTP/1.1, JSON, ${RECORDS_A_REQUEST} records of ${DATA_BYTES} random ` +
    `bytes a request, ${SHARDS} shards, limits off`,
  run: async () => {
    const figures: Figure[] = [];
    const dataDir = mkdtempSync(join(tmpdir(), 'twinstream-bench-kinesis-'));
    const starts = [() => startTwinstream(), () => startTwinstream(dataDir), startMaintained];
    try {
      for (const start of starts) {
        const subject = await start();
        try {
          figures.push(...(await measure(subject)));
        } finally {
          await kill(subject.child);
        }
      }
    } finally {
      rmSync(dataDir, { recursive: true, force: true });
    }
    return figures;
  },
};
export default benchmark;

type Call = (operation: string, body: string | Buffer) => Promise<Buffer>;
/** Does one request and says how many records it moved. */
type Lane = () => Promise<number>;

async function measure(subject: Subject): Promise<readonly Figure[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: LANES });
  const call: Call = (operation, body) => post(agent, subject.port, operation, body);
  await call('CreateStream', JSON.stringify({ StreamName: STREAM, ShardCount: SHARDS }));
  const shardIds = await untilActive(call);

  const bodies = Array.from({ length: BODIES }, putBody);
  const putLanes = Array.from({ length: LANES }, (_, lane) => putLane(call, bodies, lane));
  await forSome(putLanes, WARM_UP_MS);
  const put = await measured(subject, putLanes);

  const getLanes = shardIds.map((shardId) => getLane(call, shardId));
  await forSome(getLanes, WARM_UP_MS);
  const get = await measured(subject, getLanes);
  agent.destroy();

  const size = `${RECORDS_A_REQUEST} × ${DATA_BYTES}-byte records a request`;
  return [
    ...figures(`put, ${size}`, subject, put, PUT_AT_LEAST),
    ...figures(`get, ${size}`, subject, get, GET_AT_LEAST),
  ];
}

function figures(name: string, subject: Subject, measured: Measured, bar: number): readonly Figure[] {
  const { records, seconds, cpuSeconds } = measured;
  const wall: Figure = {
    name,
    subject: subject.name,
    value: records / seconds,
    unit: 'records/s',
    ...(subject.isHeldToBars && cpuSeconds === undefined ? { atLeast: bar } : {}),
    note:
      cpuSeconds === undefined ? '' : `server busy ${Math.round((100 * cpuSeconds) / seconds)} % of one core`,
  };
  if (cpuSeconds === undefined) return [wall];
  const core: Figure = {
    name: `${name}, one core`,
    subject: subject.name,
    value: records / cpuSeconds,
    unit: 'records/s',
    ...(subject.isHeldToBars ? { atLeast: bar } : {}),
    note: 'per second of processor time of the whole server process',
  };
  return [wall, core];
}

async function measured(subject: Subject, lanes: readonly Lane[]): Promise<Measured> {
  const cpuBefore = cpuSeconds(subject.child.pid);
  const start = performance.now();
  const records = await forSome(lanes, MEASURED_MS);
  const seconds = (performance.now() - start) / 1000;
  const cpuAfter = cpuSeconds(subject.child.pid);
  return {
    records,
    seconds,
    cpuSeconds: cpuBefore === undefined || cpuAfter === undefined ? undefined : cpuAfter - cpuBefore,
  };
}

/** Keeps each lane at its requests for so long; answers the records they moved. */
async function forSome(lanes: readonly Lane[], durationMs: number): Promise<number> {
  const end = performance.now() + durationMs;
  const moved = await Promise.all(
    lanes.map(async (lane) => {
      let records = 0;
      while (performance.now() < end) records += await lane();
      return records;
    }),
  );
  return moved.reduce((sum, records) => sum + records, 0);
}

function cpuSeconds(pid: number | undefined): number | undefined {
  if (process.platform !== 'linux') return undefined;
  // utime and stime, fields 14 and 15 of proc_pid_stat(5); the name before them may hold spaces.
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) / CPU_TICKS_PER_SECOND;
}

function putBody(_: unknown, body: number): Buffer {
  const Records = Array.from({ length: RECORDS_A_REQUEST }, (_record, index) => ({
    PartitionKey: `device-${(body * RECORDS_A_REQUEST + index) % DEVICES}`,
    Data: randomBytes(DATA_BYTES).toString('base64'),
  }));
  return Buffer.from(JSON.stringify({ StreamName: STREAM, Records }));
}

function putLane(call: Call, bodies: readonly Buffer[], first: number): Lane {
  let turn = first;
  return async () => {
    turn += 1;
    const answer = JSON.parse(String(await call('PutRecords', bodies[turn % bodies.length] ?? '')));
    if (answer.FailedRecordCount !== 0) throw new Error(`${answer.FailedRecordCount} records failed`);
    return answer.Records.length;
  };
}

/** Reads a shard from its beginning to its end, repeatedly. */
function getLane(call: Call, shardId: string): Lane {
  let iterator: string | undefined;
  return async () => {
    iterator ??= JSON.parse(
      String(
        await call(
          'GetShardIterator',
          JSON.stringify({ StreamName: STREAM, ShardId: shardId, ShardIteratorType: 'TRIM_HORIZON' }),
        ),
      ),
    ).ShardIterator;
    const body = JSON.stringify({ ShardIterator: iterator, Limit: RECORDS_A_REQUEST });
    const answer = JSON.parse(String(await call('GetRecords', body)));
    iterator = answer.Records.length === 0 ? undefined : answer.NextShardIterator;
    return answer.Records.length;
  };
}

async function untilActive(call: Call): Promise<readonly string[]> {
  const deadline = performance.now() + READY_MS_MAX;
  while (performance.now() < deadline) {
    const answer = JSON.parse(String(await call('DescribeStream', JSON.stringify({ StreamName: STREAM }))));
    const { StreamStatus, Shards } = answer.StreamDescription;
    if (StreamStatus === 'ACTIVE') return Shards.map(({ ShardId }: { ShardId: string }) => ShardId);
    await sleep(20);
  }
  throw new Error(`the stream was not active within ${READY_MS_MAX} ms`);
}

function post(agent: Agent, port: number, operation: string, body: string | Buffer): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const headers = {
      'content-type': 'application/x-amz-json-1.1',
      'x-amz-target': `Kinesis_20131202.${operation}`,
      'content-length': Buffer.byteLength(body),
      // kinesis-local wants one, and looks no further.
      authorization:
        'AWS4-HMAC-SHA256 Credential=a/20261101/us-east-1/kinesis/aws4_request, SignedHeaders=host, Signature=0',
      'x-amz-date': '20261101T000000Z',
    };
    const sent = request({ host: '127.0.0.1', port, method: 'POST', path: '/', agent, headers }, (answer) => {
      const chunks: Buffer[] = [];
      answer.on('data', (chunk: Buffer) => chunks.push(chunk));
      answer.once('error', reject);
      answer.once('end', () => {
        const text = Buffer.concat(chunks);
        if (answer.statusCode === 200) resolve(text);
        else reject(new Error(`${operation}: ${answer.statusCode} ${text}`));
      });
    });
    sent.once('error', reject);
    sent.end(body);
  });
}

/** This file again, as the server's process. */
async function startTwinstream(dataDir?: string): Promise<Subject> {
  const child = fork(import.meta.filename, [SERVE, ...(dataDir === undefined ? [] : [dataDir])], {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const port = Number(await readyMessage(child));
  const name = dataDir === undefined ? 'twinstream' : 'twinstream, data folder';
  return { name, isHeldToBars: true, port, child };
}

/** The maintained emulator. */
async function startMaintained(): Promise<Subject> {
  const { port, child } = await startKinesisLocal();
  return { name: 'kinesis-local', isHeldToBars: false, port, child };
}

if (process.argv[2] === SERVE) {
  const dataDir = process.argv[3];
  const { port } = await startKinesis({
    limitsEnforced: false,
    ...(dataDir === undefined ? { recordMemoryBytesMax: RECORD_MEMORY_BYTES_MAX } : { dataDir }),
  });
  process.send?.(port);
  process.once('disconnect', () => process.exit(0));
}
