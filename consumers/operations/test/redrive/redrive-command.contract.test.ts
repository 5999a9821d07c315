import type { KinesisClient, PutRecordsCommand } from '@aws-sdk/client-kinesis';
import type { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import {
  CreateBucketCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
} from '@aws-sdk/client-s3';
import { s3Client } from '@twinstream/aws/s3';
import { EXIT_CODES } from '@twinstream/command-line';
import { deviceId } from '@twinstream/device-model';
import { iotSqlOf } from '@twinstream/pipeline-settings';
import { lambdaBatch } from '@twinstream/stream-model/testing';
import { SHARDS, testSequenceNumber } from '@twinstream/test-kit';
import { buildApp } from 'fauxqs';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type MemoryOperations, memoryOperations, runOps } from '../memory-operations.ts';

const [SHARD] = SHARDS;
const BUS = deviceId('bus-1');
const TIME = Date.parse('2026-11-23T05:00:00Z');
const EXECUTE = ['--execute', '--reason', 'a test', '--yes'];
const TOPIC = 'twinstream/bus-1/events';
const MESSAGE_KEY = `iot-errors/bus-1/${TIME}-b1c0`;

let server: ReturnType<typeof buildApp>;
let s3: ReturnType<typeof s3Client>;
let buckets = 0;
let services: MemoryOperations;
let archiveBucket: string;
/** What the archiver was invoked with, and what was put on the stream. */
let invoked: string[];
let put: { readonly key: string; readonly data: string }[];
let archiverAnswer: { readonly FunctionError?: string; readonly text: string };
let streamRefuses: boolean;
/** Called before each put. */
let onPut: () => void;

beforeAll(async () => {
  server = buildApp({ logger: false });
  const endpoint = await server.listen({ host: '127.0.0.1', port: 0 });
  const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };
  s3 = s3Client({ endpoint, region: 'us-east-1', credentials });
});
afterAll(async () => {
  s3.destroy();
  await server.close();
});

beforeEach(async () => {
  buckets += 1;
  archiveBucket = `redrive-${buckets}`;
  await s3.send(new CreateBucketCommand({ Bucket: archiveBucket }));
  [invoked, put, streamRefuses, onPut] = [[], [], false, () => undefined];
  archiverAnswer = { text: '{"batchItemFailures":[]}' };
  const lambda = {
    send: async ({ input }: InvokeCommand) => {
      invoked.push(Buffer.from(input.Payload as Uint8Array).toString());
      const { FunctionError, text } = archiverAnswer;
      return { FunctionError, Payload: { transformToString: () => text } };
    },
  } as unknown as LambdaClient;
  const kinesis = {
    send: async ({ input: { Records = [] } }: PutRecordsCommand) => {
      onPut();
      if (streamRefuses) {
        const ErrorCode = 'ProvisionedThroughputExceededException';
        return { FailedRecordCount: 1, Records: [{ ErrorCode, ErrorMessage: 'Rate exceeded for shard.' }] };
      }
      for (const { PartitionKey = '', Data } of Records) {
        put.push({ key: PartitionKey, data: Buffer.from(Data as Uint8Array).toString() });
      }
      return { Records: Records.map(() => ({ ShardId: SHARD, SequenceNumber: testSequenceNumber(50) })) };
    },
  } as unknown as KinesisClient;
  const memory = memoryOperations();
  const configuration = {
    ...memory.configuration,
    archiveBucket,
    // As the stacks name them: documents of batches have the name with or without an alias.
    projectorFunction: 'state-projector:live',
    archiverFunction: 'arn:aws:lambda:us-east-1:123456789012:function:event-archiver:live',
    iotSql: iotSqlOf('twinstream/+/events', false),
  };
  services = { ...memory, configuration, lambda, kinesis, s3 };
});

const reading = (speedMph: number, counted: object = {}) =>
  JSON.stringify({
    ...{ v: 1, deviceId: BUS, type: 'reported', time: '2026-11-23T05:00:00Z', ...counted },
    data: { speedMph },
  });

/** The document of a batch that a mapping gave up ("Retain discarded batch records", Lambda developer guide). */
function givenUp(functionName: string, datas: readonly string[], at = 1): string {
  const records = datas.map((data, index) => ({
    ...{ sequenceNumber: testSequenceNumber(at + index), partitionKey: BUS, data },
    arrivalTime: TIME + at + index,
  }));
  return JSON.stringify({
    requestContext: {
      requestId: 'c9b8fa9f-5a7f-xmpl-af9c-0c604cde93a5',
      functionArn: `arn:aws:lambda:us-east-1:123456789012:function:${functionName}`,
      condition: 'RecordAgeExceeded',
      approximateInvokeCount: 1,
    },
    version: '1.0',
    timestamp: '2026-11-29T05:00:00.000Z',
    KinesisBatchInfo: { shardId: SHARD, batchSize: records.length },
    payload: JSON.stringify(lambdaBatch({ shardId: SHARD, records })),
  });
}

function failedMessage(payload: string): string {
  return JSON.stringify({
    ruleName: 'Rule',
    topic: TOPIC,
    cloudwatchTraceId: '7e146a2c-95b5-6caf-98b9-50e3969734c7',
    clientId: 'bus-1',
    base64OriginalPayload: Buffer.from(payload).toString('base64'),
    failures: [{ failedAction: 'KinesisAction', failedResource: 'device-events', errorMessage: 'throttled' }],
  });
}

const BATCH_KEY = `aws/lambda/5a1c/${SHARD}/2026/11/29/2026-11-29T05.00.00-0001`;
const store = (Key: string, Body: string) =>
  s3.send(new PutObjectCommand({ Bucket: archiveBucket, Key, Body }));
const finish = (at: number) =>
  services.shardProgress.advance('device-events', {
    ...{ shardId: SHARD, finishedThrough: testSequenceNumber(at) },
    ...{ arrivalTime: TIME, updatedTime: TIME },
  });

async function keys(): Promise<readonly string[]> {
  const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket: archiveBucket }));
  return Contents.map(({ Key = '' }) => Key);
}

async function storedTexts(): Promise<readonly { readonly text: string; readonly repaired?: true }[]> {
  const pages = await Array.fromAsync(services.stored.eventStore.pages(BUS));
  return pages
    .flatMap(({ events }) => events)
    .map(({ text, repaired }) => ({ text, ...(repaired && { repaired }) }));
}

async function redrive(...argv: readonly string[]) {
  const ended = await runOps(services, ['redrive', '--output', 'json', ...argv]);
  return { ...ended, json: ended.stdout === '' ? undefined : JSON.parse(ended.stdout) };
}

describe('a batch that the projector gave up', () => {
  beforeEach(async () => {
    await store(BATCH_KEY, givenUp('state-projector', [reading(1), reading(2), 'not json']));
    await finish(10);
  });

  test('is previewed, and nothing is changed', async () => {
    const { exitCode, json, stderr } = await redrive();
    expect(json).toMatchObject({ executed: false, documents: 1, outcomes: { 'would-redrive': 1 } });
    expect(json.results).toMatchObject([{ document: BATCH_KEY, kind: 'projector', records: 3 }]);
    expect(stderr).toContain('Dry run, nothing changed');
    expect(exitCode).toBe(EXIT_CODES.success);
    expect(await keys()).toEqual([BATCH_KEY]);
    expect(await storedTexts()).toEqual([]);
  });

  test('is stored once, marked repaired, its poison in quarantine, and lies below redriven/ then', async () => {
    const { exitCode, json } = await redrive(...EXECUTE);
    expect(json.results).toMatchObject([
      { outcome: 'redriven', stored: 2, alreadyStored: 0, quarantined: 1 },
    ]);
    expect(exitCode).toBe(EXIT_CODES.success);
    const expected = [1, 2].map((speed) => ({ text: reading(speed), repaired: true }));
    expect(await storedTexts()).toEqual(expected);
    expect(await Array.fromAsync(services.quarantine.list())).toHaveLength(1);
    expect(await keys()).toEqual([`redriven/${BATCH_KEY}`]);

    expect((await redrive(...EXECUTE)).json).toMatchObject({ documents: 0 });
    // As after a kill between the writes and the move.
    await store(BATCH_KEY, givenUp('state-projector', [reading(1), reading(2), 'not json']));
    expect((await redrive(...EXECUTE)).json.results).toMatchObject([{ stored: 0, alreadyStored: 2 }]);
    expect(await storedTexts()).toEqual(expected);
    const moved = await s3.send(
      new GetObjectCommand({ Bucket: archiveBucket, Key: `redriven/${BATCH_KEY}` }),
    );
    const { redriven, document } = JSON.parse((await moved.Body?.transformToString()) ?? '');
    expect(redriven).toMatchObject({ reason: 'a test' });
    expect(document.KinesisBatchInfo.shardId).toBe(SHARD);
  });

  test('is stored in its place where later events of the device are stored already', async () => {
    const later = BATCH_KEY.replace('0001', '0002');
    await store(later, givenUp('state-projector', [reading(9)], 5));
    await redrive(later, ...EXECUTE);
    expect((await redrive(...EXECUTE)).json.results).toMatchObject([{ stored: 2 }]);
    expect((await storedTexts()).map(({ text }) => text)).toEqual([reading(9), reading(1), reading(2)]);
    const state = await services.stored.latestState.read(BUS, { consistent: true });
    expect(state?.attributes.get('speedMph')?.value).toBe(9);
  });

  test('waits for the live projector where its checkpoint is lower', async () => {
    const later = BATCH_KEY.replace('0001', '0002');
    await store(later, givenUp('state-projector', [reading(3)], 11));
    const { exitCode, json } = await redrive(later, ...EXECUTE);
    expect(json.results).toMatchObject([{ document: later, outcome: 'not-finished' }]);
    expect(exitCode).toBe(EXIT_CODES.failed);
    expect(await keys()).toContain(later);
    expect(await storedTexts()).toEqual([]);
  });
});

describe('a batch that the archiver gave up', () => {
  const text = givenUp('event-archiver', [reading(1)]);
  beforeEach(() => store(BATCH_KEY, text));

  test('is handed to the archiver as it was', async () => {
    const { exitCode, json } = await redrive(...EXECUTE);
    expect(json.results).toMatchObject([{ kind: 'archiver', outcome: 'redriven' }]);
    expect(exitCode).toBe(EXIT_CODES.success);
    expect(invoked).toEqual([JSON.parse(text).payload]);
    expect(await keys()).toEqual([`redriven/${BATCH_KEY}`]);
  });

  test.each([
    { text: JSON.stringify({ batchItemFailures: [{ itemIdentifier: testSequenceNumber(1) }] }) },
    { FunctionError: 'Unhandled', text: '{"errorMessage":"no such stream"}' },
    { text: 'null' },
    { text: '' },
  ])('stays where it is when the archiver answers $text', async (answer) => {
    archiverAnswer = answer;
    const { exitCode, json } = await redrive(...EXECUTE);
    expect(json.results).toMatchObject([{ outcome: 'not-taken' }]);
    expect(exitCode).toBe(EXIT_CODES.failed);
    expect(await keys()).toEqual([BATCH_KEY]);
  });
});

describe('a message that the IoT rule could not put on the stream', () => {
  test('is put as the rule would have put it, once', async () => {
    await store(MESSAGE_KEY, failedMessage(reading(7)));
    expect((await redrive('--kind', 'iot', ...EXECUTE)).json.results).toMatchObject([
      { outcome: 'redriven' },
    ]);
    expect(put).toEqual([{ key: BUS, data: reading(7) }]);
    expect(await keys()).toEqual([`redriven/${MESSAGE_KEY}`]);
    expect((await redrive(...EXECUTE)).json).toMatchObject({ documents: 0 });
    expect(put).toHaveLength(1);
  });

  test('has topic and time of receipt beside its digits where there is a mapping', async () => {
    const iotSql = iotSqlOf('twinstream/+/events', true);
    services = { ...services, configuration: { ...services.configuration, iotSql } };
    await store(MESSAGE_KEY, failedMessage('{"odometer":12345678901234567890.10}\n'));
    await redrive(...EXECUTE);
    const data = `{"odometer":12345678901234567890.10,"topic":"${TOPIC}","receivedAt":${TIME}}`;
    expect(put).toEqual([{ key: BUS, data }]);
  });

  test.each(['', "SELECT state.reported FROM 'a/+'"])('is left where the SQL is "%s"', async (iotSql) => {
    services = { ...services, configuration: { ...services.configuration, iotSql } };
    await store(MESSAGE_KEY, failedMessage(reading(7)));
    const { exitCode, json } = await redrive(...EXECUTE);
    expect(json.results).toMatchObject([{ outcome: 'invalid' }]);
    expect(exitCode).toBe(EXIT_CODES.failed);
    expect(put).toEqual([]);
  });

  test('stays where it is when the stream throttles', async () => {
    streamRefuses = true;
    await store(MESSAGE_KEY, failedMessage(reading(7)));
    const { exitCode, json } = await redrive(...EXECUTE);
    expect(json.results).toMatchObject([{ outcome: 'not-taken' }]);
    expect(exitCode).toBe(EXIT_CODES.failed);
    expect(await keys()).toEqual([MESSAGE_KEY]);
  });

  test('keeps a member __proto__ beside topic and time of receipt', async () => {
    const iotSql = iotSqlOf('twinstream/+/events', true);
    services = { ...services, configuration: { ...services.configuration, iotSql } };
    await store(MESSAGE_KEY, failedMessage('{"__proto__":{"v":1}}'));
    await redrive(...EXECUTE);
    const data = `{"__proto__":{"v":1},"topic":"${TOPIC}","receivedAt":${TIME}}`;
    expect(put).toEqual([{ key: BUS, data }]);
  });

  test('that the stream refuses as invalid stays, and does not keep back the next', async () => {
    const next = MESSAGE_KEY.replace('b1c0', 'b1c1');
    await store(MESSAGE_KEY, failedMessage(reading(7)));
    await store(next, failedMessage(reading(8)));
    onPut = () => {
      onPut = () => undefined;
      throw Object.assign(new Error('the record is too large'), { name: 'ValidationException' });
    };
    const { exitCode, json } = await redrive(...EXECUTE);
    expect(json.results).toMatchObject([
      { document: MESSAGE_KEY, outcome: 'not-taken', detail: expect.stringContaining('too large') },
      { document: next, outcome: 'redriven' },
    ]);
    expect(exitCode).toBe(EXIT_CODES.failed);
    expect(await keys()).toEqual([MESSAGE_KEY, `redriven/${next}`]);
  });

  test('that is under way at Ctrl-C is put and moved; the next stays, and what was done is reported', async () => {
    const next = MESSAGE_KEY.replace('b1c0', 'b1c1');
    await store(MESSAGE_KEY, failedMessage(reading(7)));
    await store(next, failedMessage(reading(8)));
    const stopping = new AbortController();
    onPut = () => stopping.abort();
    const argv = ['redrive', '--output', 'json', ...EXECUTE];
    const { exitCode, stdout } = await runOps(services, argv, undefined, stopping.signal);
    expect(JSON.parse(stdout).results).toMatchObject([{ document: MESSAGE_KEY, outcome: 'redriven' }]);
    expect(exitCode).toBe(EXIT_CODES.interrupted);
    expect(put).toHaveLength(1);
    expect(await keys()).toEqual([next, `redriven/${MESSAGE_KEY}`]);
  });
});

describe('a batch whose records lack what Lambda delivers', () => {
  test.each([
    { member: 'partitionKey', value: undefined },
    { member: 'partitionKey', value: { of: 'another type' } },
    { member: 'approximateArrivalTimestamp', value: undefined },
    { member: 'approximateArrivalTimestamp', value: '2026' },
    { member: 'approximateArrivalTimestamp', value: 1e300 },
    { member: 'approximateArrivalTimestamp', value: -1 },
    { member: 'data', value: '***' },
  ])('is invalid and changes nothing: $member $value', async ({ member, value }) => {
    await finish(10);
    for (const name of ['state-projector', 'event-archiver']) {
      const document = JSON.parse(givenUp(name, ['not json']));
      const event = JSON.parse(document.payload);
      event.Records[0].kinesis[member] = value;
      await store(`${BATCH_KEY}-${name}`, JSON.stringify({ ...document, payload: JSON.stringify(event) }));
    }
    const { exitCode, json } = await redrive(...EXECUTE);
    const detail = expect.stringContaining(member);
    expect(json.results).toMatchObject([
      { outcome: 'invalid', detail },
      { outcome: 'invalid', detail },
    ]);
    expect(exitCode).toBe(EXIT_CODES.failed);
    expect(await Array.fromAsync(services.quarantine.list())).toEqual([]);
    expect(invoked).toEqual([]);
    expect(await keys()).toHaveLength(2);
  });
});

describe('what is chosen', () => {
  test('is by time of failure, kind and name; an unknown name is refused', async () => {
    await store(BATCH_KEY, givenUp('event-archiver', [reading(1)]));
    await store(MESSAGE_KEY, failedMessage(reading(7)));
    const documents = async (...argv: readonly string[]) =>
      (await redrive(...argv)).json.results.map(({ document }: { document: string }) => document);
    expect(await documents()).toEqual([BATCH_KEY, MESSAGE_KEY]);
    expect(await documents('--kind', 'iot')).toEqual([MESSAGE_KEY]);
    expect(await documents('--limit', '1')).toEqual([BATCH_KEY]);
    expect(await documents('--to', 'PT1H')).toEqual([]);
    expect(await documents('--from', 'PT1H', MESSAGE_KEY)).toEqual([MESSAGE_KEY]);
    const { exitCode, stderr } = await redrive('iot-errors/typo', ...EXECUTE);
    expect(stderr).toMatch(/^refused \(DOCUMENT_NOT_FOUND\): there is no iot-errors\/typo/);
    expect(exitCode).toBe(EXIT_CODES.refused);
  });

  test('leaves out batches of other functions and of table streams, and names documents that cannot be read', async () => {
    await store(BATCH_KEY, givenUp('somebody-elses', [reading(1)]));
    await store(`${BATCH_KEY}-2`, JSON.stringify({ DDBStreamBatchInfo: { batchSize: 1 }, version: '1.0' }));
    const { exitCode, json } = await redrive(...EXECUTE);
    expect(json.outcomes).toEqual({ skipped: 2 });
    expect(exitCode).toBe(EXIT_CODES.success);
    await store(`${BATCH_KEY}-3`, '{}');
    expect((await redrive(...EXECUTE)).exitCode).toBe(EXIT_CODES.failed);
    expect(await keys()).toHaveLength(3);
  });

  test('is not redriven without a reason, or without a confirmation', async () => {
    await store(MESSAGE_KEY, failedMessage(reading(7)));
    expect((await redrive('--execute')).exitCode).toBe(EXIT_CODES.usage);
    const argv = ['redrive', '--execute', '--reason', 'a test'];
    const { exitCode, questions } = await runOps(services, argv, 'no');
    expect(questions).toEqual([expect.stringContaining('Redrive 1 document into the pipeline?')]);
    expect(exitCode).toBe(EXIT_CODES.refused);
    expect(put).toEqual([]);
  });
});
