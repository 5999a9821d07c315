import { DescribeTableCommand } from '@aws-sdk/client-dynamodb';
import type { StreamRecord } from '@twinstream/stream-model';
import { GET_RECORDS_RECORDS_MAX, openRecord, SHARD_OUT_BYTES_PER_SECOND } from '@twinstream/stream-model';
import { linesOfObject, s3ArchiveObjects } from '@twinstream/verification';
import type { OperationsServices } from '../services.ts';
import { listShards, readShard, type StreamAccess, shardIterator } from '../stream/shard-reads.ts';
import type { ReplayPart, ReplaySpec } from './replay-spec.ts';

/** What a replay is going to meet, before anything is read in full or written. */
export interface ReplayPlan {
  readonly parts: readonly PartPlan[];
  readonly events: number;
  readonly bytes: number;
  /** False where the numbers are drawn from samples. */
  readonly isExact: boolean;
  readonly durationMs: number;
  readonly readUnits: number;
  readonly writeUnits: number;
  readonly dollars: number;
  readonly changes: readonly string[];
}

export interface PartPlan extends ReplayPart {
  readonly events: number;
  readonly bytes: number;
  readonly isExact: boolean;
  readonly shards: readonly ShardPlan[];
}

export interface ShardPlan {
  readonly shardId: string;
  /** First place of the window; null where it has none. */
  readonly start: string | null;
  readonly startArrival: string | null;
  readonly events: number;
}

/** Places of a shard's window at which samples are taken. */
const SAMPLES = 4;
const SAMPLE_RECORDS = 500;
const SEARCH_READS_MAX = 4;
/** DynamoDB on demand, us-east-1, per million, read 2026-11. */
const DOLLARS_PER_MILLION = { writeUnits: 0.625, readUnits: 0.125 } as const;
/** Events a second that one process has been seen to take from each source; the rate may be lower. */
const EVENTS_PER_SECOND = { stream: 100_000, archive: 50_000, 'event-store': 20_000 } as const;
/** Devices in a batch of events that are written together decide how many pages they make. */
const BATCH_EVENTS = 2_000;

/** Looks at the source and says what the replay will take. Reads samples, and writes nothing. */
export async function makePlan(
  services: OperationsServices,
  spec: ReplaySpec,
  signal: AbortSignal,
): Promise<ReplayPlan> {
  const parts: PartPlan[] = [];
  for (const part of spec.parts) parts.push(await planPart(services, spec, part, signal));
  const sum = (of: (part: PartPlan) => number) => parts.reduce((total, part) => total + of(part), 0);
  const [events, bytes] = [sum((part) => part.events), sum((part) => part.bytes)];
  const { readUnits, writeUnits } = unitsOf(spec, events, bytes);
  const durations = parts.map((part) => durationOf(spec, part));
  return {
    parts,
    events,
    bytes,
    isExact: parts.every((part) => part.isExact),
    durationMs: durations.reduce((total, one) => total + one, 0),
    readUnits,
    writeUnits,
    dollars:
      (writeUnits * DOLLARS_PER_MILLION.writeUnits + readUnits * DOLLARS_PER_MILLION.readUnits) / 1_000_000,
    changes: changesOf(spec),
  };
}

function durationOf({ rate, isPolite }: ReplaySpec, { source, events, bytes, shards }: PartPlan): number {
  const forRate = rate === undefined ? 0 : events / rate;
  const shardShare = SHARD_OUT_BYTES_PER_SECOND * (isPolite ? 0.4 : 1) * Math.max(1, shards.length);
  const forBytes = source === 'stream' ? bytes / shardShare : 0;
  return Math.max(forRate, forBytes, events / EVENTS_PER_SECOND[source]) * 1_000;
}

/** A page and a state for each device and batch, at least a unit each and one more for each KiB; a batch reads its heads. */
function unitsOf({ target, parts }: ReplaySpec, events: number, bytes: number) {
  const writes = target === 'fresh' ? Math.min(2 * events, events / 4 + bytes / 1_024) : 0;
  const reads =
    parts[0]?.source === 'event-store' || target === 'repair' ? bytes / 4_096 + events / BATCH_EVENTS : 0;
  return { readUnits: Math.ceil(reads), writeUnits: Math.ceil(writes) };
}

function changesOf({ target, tables, parts }: ReplaySpec): readonly string[] {
  if (target === undefined) return ['nothing: a dry run reads and counts'];
  if (target === 'stdout') return ['nothing: events go to standard output'];
  if (target === 'fresh') {
    return [
      `the tables ${tables?.eventsTable} and ${tables?.deviceStateTable} are created and filled; those in use stay`,
    ];
  }
  const states = 'states that are not the fold of their pages are written anew';
  if (parts[0]?.source === 'event-store') return [states];
  return [
    'pages that are missing are put back under their own numbers',
    states,
    'events that were never accepted are appended, marked repaired, up to shard progress',
    'devices of which nothing is stored are rebuilt',
    'the live projector is paused for such devices, and for pages that are missing side by side, alone',
  ];
}

async function planPart(
  services: OperationsServices,
  spec: ReplaySpec,
  part: ReplayPart,
  signal: AbortSignal,
): Promise<PartPlan> {
  if (part.source === 'stream') return planStream(services, spec, part, signal);
  if (part.source === 'archive') return planArchive(services, part, signal);
  return planEventStore(services, part, signal);
}

async function planStream(
  { kinesis, clock, configuration }: OperationsServices,
  { shards: wanted }: ReplaySpec,
  part: ReplayPart,
  signal: AbortSignal,
): Promise<PartPlan> {
  const stream: StreamAccess = { client: kinesis, streamName: configuration.streamName, clock };
  const shards = (await listShards(stream, signal)).filter(
    ({ shardId }) => wanted === undefined || wanted.includes(shardId),
  );
  const plans = await Promise.all(shards.map(({ shardId }) => sampleShard(stream, shardId, part, signal)));
  const sum = (of: (plan: (typeof plans)[number]) => number) =>
    plans.reduce((total, plan) => total + of(plan), 0);
  return {
    ...part,
    events: sum((plan) => plan.events),
    bytes: sum((plan) => plan.bytes),
    isExact: plans.every((plan) => plan.isExact),
    shards: plans.map(({ bytes: _, isExact: __, ...plan }) => plan),
  };
}

type ShardSample = ShardPlan & { readonly bytes: number; readonly isExact: boolean };

async function sampleShard(
  stream: StreamAccess,
  shardId: Parameters<typeof shardIterator>[1],
  { fromMs, toMs }: ReplayPart,
  signal: AbortSignal,
): Promise<ShardSample> {
  const first = await readFrom(stream, shardId, fromMs, GET_RECORDS_RECORDS_MAX, signal);
  const [record] = first.records;
  if (record === undefined) {
    return { shardId, start: null, startArrival: null, events: 0, bytes: 0, isExact: true };
  }
  const start = { start: record.sequenceNumber, startArrival: new Date(record.arrivalTime).toISOString() };
  const within = first.records.filter(({ arrivalTime }) => arrivalTime < toMs);
  const isWhole = first.isEnd || within.length < first.records.length;
  if (isWhole) return { shardId, ...start, ...sizeOf(within), isExact: true };
  const beginMs = record.arrivalTime;
  let [events, bytes, spanMs] = [0, 0, 0];
  for (let sample = 0; sample < SAMPLES; sample += 1) {
    const atMs = beginMs + ((toMs - beginMs) * sample) / SAMPLES;
    const { records } = await readFrom(stream, shardId, atMs, SAMPLE_RECORDS, signal);
    const size = sizeOf(records);
    events += size.events;
    bytes += size.bytes;
    spanMs += Math.max(1, (records.at(-1)?.arrivalTime ?? toMs) - atMs);
  }
  const scale = Math.max(1, (toMs - beginMs) / spanMs);
  return {
    shardId,
    ...start,
    events: Math.round(events * scale),
    bytes: Math.round(bytes * scale),
    isExact: false,
  };
}

function sizeOf(records: readonly StreamRecord[]) {
  let [events, bytes] = [0, 0];
  for (const record of records) {
    events += openRecord(record).entries.length;
    bytes += record.data.length;
  }
  return { events, bytes };
}

async function readFrom(
  stream: StreamAccess,
  shardId: Parameters<typeof shardIterator>[1],
  timeMs: number,
  recordsMax: number,
  signal: AbortSignal,
): Promise<{ readonly records: readonly StreamRecord[]; readonly isEnd: boolean }> {
  const start = timeMs === 0 ? { from: 'beginning' as const } : { from: 'time' as const, timeMs };
  let iterator = await shardIterator(stream, shardId, start, signal);
  for (let reads = 0; reads < SEARCH_READS_MAX && iterator !== undefined; reads += 1) {
    const { records, next, behindMs } = await readShard(stream, iterator, recordsMax, signal);
    const isEnd = behindMs === 0 || next === undefined;
    if (records.length > 0 || isEnd) return { records, isEnd };
    iterator = next;
  }
  return { records: [], isEnd: true };
}

async function planArchive(
  { s3, configuration }: OperationsServices,
  part: ReplayPart,
  signal: AbortSignal,
): Promise<PartPlan> {
  const archive = s3ArchiveObjects(s3, configuration.archiveBucket);
  let [stored, sampledStored, lines, bytes, objects] = [0, 0, 0, 0, 0];
  for await (const object of archive.list({ ...part, signal })) {
    objects += 1;
    stored += object.bytes;
    if (objects > SAMPLES) continue;
    sampledStored += object.bytes;
    // What is foreign is left to the run, which says so.
    for await (const { text } of linesOfObject(archive, object.key, () => undefined, signal)) {
      lines += 1;
      bytes += text.length;
    }
  }
  const scale = sampledStored === 0 ? 0 : stored / sampledStored;
  return {
    ...part,
    events: Math.round(lines * scale),
    bytes: Math.round(bytes * scale),
    isExact: false,
    shards: [],
  };
}

async function planEventStore(
  services: OperationsServices,
  part: ReplayPart,
  signal: AbortSignal,
): Promise<PartPlan> {
  const generation = await services.generation(signal);
  const command = new DescribeTableCommand({ TableName: generation.eventsTable });
  const { Table } = await services.dynamoDb.send(command, { abortSignal: signal });
  const { eventStore } = services.stores(generation);
  let [pages, events] = [0, 0];
  sampling: for await (const deviceId of eventStore.deviceIds(signal)) {
    for await (const summary of eventStore.pageSummaries(deviceId, { signal })) {
      pages += 1;
      events += summary.eventCount;
      if (pages >= SAMPLE_RECORDS) break sampling;
    }
  }
  const items = Math.max(pages, Table?.ItemCount ?? 0);
  return {
    ...part,
    events: pages === 0 ? 0 : Math.round((events / pages) * items),
    bytes: Table?.TableSizeBytes ?? 0,
    isExact: pages < SAMPLE_RECORDS,
    shards: [],
  };
}
