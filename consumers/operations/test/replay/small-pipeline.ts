import {
  DescribeStreamSummaryCommand,
  GetRecordsCommand,
  GetShardIteratorCommand,
  type KinesisClient,
  ListShardsCommand,
} from '@aws-sdk/client-kinesis';
import {
  GetEventSourceMappingCommand,
  type LambdaClient,
  ListEventSourceMappingsCommand,
  UpdateEventSourceMappingCommand,
} from '@aws-sdk/client-lambda';
import type { S3Client } from '@aws-sdk/client-s3';
import { collectedOutput } from '@twinstream/command-line';
import { type DeviceId, decodeEvent, ownFormatDecoder, presentAttributes } from '@twinstream/device-model';
import {
  type AuditableEventStore,
  dynamoDbEventStore,
  EVENTS_TABLE_DEFINITION,
} from '@twinstream/event-store';
import type { TestDynamoDb } from '@twinstream/event-store/contract/dynamodb-engines';
import {
  DEVICE_STATE_TABLE_DEFINITION,
  dynamoDbLatestStateTable,
  memoryShardProgressTable,
} from '@twinstream/latest-state';
import { PAGE_WRITING } from '@twinstream/pipeline-settings';
import { memoryQuarantine } from '@twinstream/quarantine';
import { createLogger } from '@twinstream/runtime';
import { sequenceNumber, shardId } from '@twinstream/stream-model';
import { configuredGeneration, readGeneration, type TableNames } from '@twinstream/table-generation';
import { memoryAnnotationStore } from '@twinstream/table-generation/annotations';
import { operationsCommand } from '../../src/command/operations-command.ts';
import type { ReplayEntry } from '../../src/replay/replay-entry.ts';
import { noCounts } from '../../src/replay/replay-job.ts';
import { projectingTarget } from '../../src/replay/targets.ts';
import type { OperationsServices, Stores } from '../../src/services.ts';

const STREAM = 'device-events';
const SHARD = shardId('shardId-000000000000');
const MAPPING = 'mapping-1';
const HOUR_MS = 3_600_000;
const START_TIME = Date.parse('2026-11-23T08:00:00Z');
const FIRST_SEQUENCE_NUMBER = 10_000_000;

/** One shard, one projector, and every command, in one process: DynamoDB is dynalite, time is what the test says. */
export interface SmallPipeline {
  /** Lets time pass; nobody waits for it. */
  pass(ms: number): void;
  put(deviceId: string, counter: number, data: object): void;
  putInvalid(text: string): void;
  /** Projects what it has not yet, as the live projector does, where its mapping is enabled or an invocation still runs. */
  project(isStillRunning?: boolean): Promise<void>;
  enable(isEnabled: boolean): void;
  readonly isEnabled: boolean;
  /** Forgets records, as a stream does behind its retention. */
  trim(count: number): void;
  /** Runs when the mapping is being disabled by a command. */
  onPause(work: () => Promise<void>): void;
  /** Runs once, just before the next page is put. */
  onAppend(work: () => Promise<void>): void;
  /** Runs while a command waits. */
  onSleep(work: (ms: number) => Promise<void>): void;
  /** What commands did to the mapping, and how long they waited, in milliseconds. */
  readonly steps: readonly (string | number)[];
  ops(
    ...argv: readonly string[]
  ): Promise<{ readonly code: number; readonly stdout: string; readonly stderr: string }>;
  storesInUse(): Promise<Stores>;
  stores(tables: TableNames): Stores;
  /** Attributes of a device as the tables in use have them; undefined where it has no state. */
  attributes(deviceId: string): Promise<Record<string, unknown> | undefined>;
}

const SILENT = createLogger('test', 'silent');

export interface SmallPipelineOptions {
  /** Age of the stream, in hours. Default: 1. */
  readonly streamAgeHours?: number;
}

export async function startSmallPipeline(
  dynamoDb: TestDynamoDb,
  { streamAgeHours = 1 }: SmallPipelineOptions = {},
): Promise<SmallPipeline> {
  const { client } = dynamoDb;
  let now = START_TIME;
  const clock = {
    now: () => now,
    sleep: async (ms: number) => {
      now += ms;
      steps.push(ms);
      await onSleep(ms);
    },
  };
  const records: ReplayEntry[] = [];
  let trimmed = 0;
  let projected = 0;
  let isEnabled = true;
  let onPause: () => Promise<void> = async () => undefined;
  let onSleep: (ms: number) => Promise<void> = async () => undefined;
  const steps: (string | number)[] = [];
  let beforeAppend: (() => Promise<void>) | undefined;
  const hooked = (store: AuditableEventStore): AuditableEventStore => ({
    ...store,
    appendPage: async (page, signal) => {
      const work = beforeAppend;
      beforeAppend = undefined;
      await work?.();
      return store.appendPage(page, signal);
    },
  });
  const tables = {
    eventsTable: await dynamoDb.createTable(EVENTS_TABLE_DEFINITION),
    deviceStateTable: await dynamoDb.createTable(DEVICE_STATE_TABLE_DEFINITION),
  };
  const operationsTable = await dynamoDb.createTable({
    BillingMode: 'PAY_PER_REQUEST',
    AttributeDefinitions: [
      { AttributeName: 'kind', AttributeType: 'S' },
      { AttributeName: 'id', AttributeType: 'S' },
    ],
    KeySchema: [
      { AttributeName: 'kind', KeyType: 'HASH' },
      { AttributeName: 'id', KeyType: 'RANGE' },
    ],
  });
  const shardProgress = memoryShardProgressTable();
  const quarantine = memoryQuarantine();
  const storesOf = ({ eventsTable, deviceStateTable }: TableNames): Stores => ({
    eventStore: hooked(dynamoDbEventStore(client, { tableName: eventsTable })),
    latestState: dynamoDbLatestStateTable(client, { tableName: deviceStateTable }),
  });
  const generation = async () =>
    (await readGeneration(client, operationsTable)) ?? configuredGeneration(tables);
  const services: OperationsServices = {
    configuration: {
      ...{ streamName: STREAM, tables, operationsTable },
      shardProgressTable: 'unused',
      archiveBucket: 'unused',
      projectorFunction: 'state-projector',
      archiverFunction: 'event-archiver',
      iotSql: '',
      freshTablesPrefix: '',
      mapping: '',
      pageWriting: PAGE_WRITING,
    },
    ...{ clock, logger: SILENT, dynamoDb: client, quarantine, shardProgress, generation },
    annotations: memoryAnnotationStore(),
    kinesis: kinesis(
      () => records,
      () => trimmed,
      START_TIME - streamAgeHours * HOUR_MS,
    ),
    lambda: lambda(
      () => isEnabled,
      async (wanted) => {
        steps.push(wanted ? 'enable' : 'disable');
        if (!wanted) await onPause();
        isEnabled = wanted;
      },
    ),
    s3: {} as S3Client,
    alarms: undefined,
    decoders: async () => [ownFormatDecoder],
    stores: storesOf,
    close: () => undefined,
  };
  const put = (partitionKey: string, text: string) => {
    records.push({
      shardId: SHARD,
      sequenceNumber: sequenceNumber(String(FIRST_SEQUENCE_NUMBER + records.length)),
      ...{ subSequenceNumber: 0, arrivalTime: now, partitionKey },
      data: Buffer.from(`${text}\n`),
    });
  };
  return {
    pass: (ms) => {
      now += ms;
    },
    put: (deviceId, counter, data) => {
      const event = { v: 1, deviceId, type: 'reported', time: new Date(now).toISOString() };
      put(deviceId, JSON.stringify({ ...event, session: 1, counter, data }));
    },
    putInvalid: (text) => put('invalid', text),
    project: async (isStillRunning = false) => {
      if (!isEnabled && !isStillRunning) return;
      const entries = records.slice(projected);
      const last = entries.at(-1);
      if (last === undefined) return;
      await quarantineInvalid(quarantine, entries);
      const project = projectingTarget({
        stores: storesOf(await generation()),
        ...{ clock, logger: SILENT, isRepair: false, redriven: new Map(), isRefused: async () => false },
        onFailure: (deviceId, error) => {
          throw new Error(deviceId, { cause: error });
        },
      });
      await project({ shardId: SHARD, entries }, noCounts(), new AbortController().signal);
      projected = records.length;
      await shardProgress.advance(STREAM, {
        shardId: SHARD,
        finishedThrough: last.sequenceNumber,
        ...{ arrivalTime: last.arrivalTime, updatedTime: now },
      });
    },
    enable: (wanted) => {
      isEnabled = wanted;
    },
    get isEnabled() {
      return isEnabled;
    },
    trim: (count) => {
      trimmed = count;
    },
    onPause: (work) => {
      onPause = work;
    },
    onAppend: (work) => {
      beforeAppend = work;
    },
    onSleep: (work) => {
      onSleep = work;
    },
    steps,
    ops: async (...argv) => {
      const [stdout, stderr] = [collectedOutput(), collectedOutput()];
      const code = await operationsCommand(
        {
          ...{ argv, folder: '/', environment: {}, stdout, stderr, clock },
          stop: new AbortController().signal,
          ask: async () => undefined,
        },
        { enterTarget: () => ({ name: 'local', environment: {} }), openServices: () => services },
      );
      return { code, stdout: stdout.text(), stderr: stderr.text() };
    },
    storesInUse: async () => storesOf(await generation()),
    stores: storesOf,
    attributes: async (deviceId) => {
      const { latestState } = storesOf(await generation());
      const state = await latestState.read(deviceId as DeviceId);
      return state && Object.fromEntries(presentAttributes(state));
    },
  };
}

async function quarantineInvalid(
  quarantine: ReturnType<typeof memoryQuarantine>,
  entries: readonly ReplayEntry[],
): Promise<void> {
  for (const { subSequenceNumber, data, ...record } of entries) {
    const decoded = decodeEvent(data);
    if (!('rejected' in decoded)) continue;
    const { rejected: reason, detail } = decoded;
    const { partitionKey } = record;
    await quarantine.put({
      ...record,
      data,
      entries: [{ subSequenceNumber, partitionKey, reason, detail, data }],
    });
  }
}

function kinesis(
  recordsNow: () => readonly ReplayEntry[],
  trimmedNow: () => number,
  createdTime: number,
): KinesisClient {
  const answerTo = (command: unknown) => {
    const records = recordsNow();
    if (command instanceof DescribeStreamSummaryCommand) {
      const StreamCreationTimestamp = new Date(createdTime);
      return { StreamDescriptionSummary: { StreamCreationTimestamp, RetentionPeriodHours: 168 } };
    }
    if (command instanceof ListShardsCommand) {
      const HashKeyRange = { StartingHashKey: '0', EndingHashKey: String(2n ** 128n - 1n) };
      const SequenceNumberRange = { StartingSequenceNumber: '1' };
      return { Shards: [{ ShardId: SHARD, HashKeyRange, SequenceNumberRange }] };
    }
    if (command instanceof GetShardIteratorCommand) {
      const { ShardIteratorType: type, StartingSequenceNumber: number, Timestamp } = command.input;
      const isFrom = ({ sequenceNumber: own, arrivalTime }: ReplayEntry) =>
        type === 'TRIM_HORIZON' ||
        (type === 'AT_TIMESTAMP' && arrivalTime >= Number(Timestamp)) ||
        (type === 'AT_SEQUENCE_NUMBER' && own >= (number ?? '')) ||
        (type === 'AFTER_SEQUENCE_NUMBER' && own > (number ?? ''));
      const index = records.findIndex(isFrom);
      return { ShardIterator: String(Math.max(trimmedNow(), index === -1 ? records.length : index)) };
    }
    if (command instanceof GetRecordsCommand) {
      const from = Number(command.input.ShardIterator);
      return {
        Records: records.slice(from).map(({ sequenceNumber: own, partitionKey, data, arrivalTime }) => ({
          SequenceNumber: own,
          PartitionKey: partitionKey,
          Data: data,
          ApproximateArrivalTimestamp: new Date(arrivalTime),
        })),
        NextShardIterator: String(records.length),
        MillisBehindLatest: 0,
      };
    }
    throw new TypeError('a request that no replay makes');
  };
  return { send: async (command: unknown) => answerTo(command) } as KinesisClient;
}

function lambda(isEnabled: () => boolean, enable: (wanted: boolean) => Promise<void>): LambdaClient {
  const EventSourceArn = `arn:aws:kinesis:eu-central-1:123456789012:stream/${STREAM}`;
  const mapping = () => ({ UUID: MAPPING, EventSourceArn, State: isEnabled() ? 'Enabled' : 'Disabled' });
  return {
    send: async (command: unknown) => {
      if (command instanceof ListEventSourceMappingsCommand) return { EventSourceMappings: [mapping()] };
      if (command instanceof UpdateEventSourceMappingCommand) await enable(command.input.Enabled === true);
      else if (!(command instanceof GetEventSourceMappingCommand)) throw new TypeError('an unknown request');
      return mapping();
    },
  } as LambdaClient;
}
