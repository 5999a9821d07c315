import { PutRecordCommand } from '@aws-sdk/client-kinesis';
import { CreateBucketCommand, PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { s3Client } from '@twinstream/aws/s3';
import {
  type DeviceId,
  type DeviceState,
  encodeEvent,
  eventText,
  newDevice,
  planPage,
} from '@twinstream/device-model';
import { dynamoDbEventStore, EVENTS_TABLE_DEFINITION } from '@twinstream/event-store';
import { dynaliteEngine, type TestDynamoDb } from '@twinstream/event-store/contract/dynamodb-engines';
import {
  DEVICE_STATE_TABLE_DEFINITION,
  dynamoDbLatestStateTable,
  dynamoDbShardProgressTable,
  SHARD_PROGRESS_TABLE_DEFINITION,
} from '@twinstream/latest-state';
import { s3Quarantine } from '@twinstream/quarantine';
import { sequenceNumber, shardId } from '@twinstream/stream-model';
import { eventReader, until } from '@twinstream/test-kit';
import { buildApp } from 'fauxqs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ApiProcess, runApi } from './api-process.ts';
import { checkAnswer } from './checked-client.ts';
import { type KinesisStreams, startKinesisStreams } from './kinesis-streams.ts';
import { eventOf, type Said } from './test-api.ts';

const STREAM = 'device-events';
const BUCKET = 'archive';
let kinesis: KinesisStreams;
let dynamoDb: TestDynamoDb;
let s3Server: ReturnType<typeof buildApp>;
let s3: S3Client;
let api: ApiProcess;
let environment: Record<string, string>;
let url: string;
let project: (device: string, said: Said) => Promise<void>;

beforeAll(async () => {
  s3Server = buildApp({ logger: false });
  const s3Url = await s3Server.listen({ host: '127.0.0.1', port: 0 });
  [kinesis, dynamoDb] = await Promise.all([startKinesisStreams(), dynaliteEngine.start()]);
  await kinesis.createStream(STREAM, 2);
  s3 = s3Client({
    endpoint: s3Url,
    region: 'us-east-1',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
  });
  await s3.send(new CreateBucketCommand({ Bucket: BUCKET }));
  const tables = {
    events: await dynamoDb.createTable(EVENTS_TABLE_DEFINITION),
    states: await dynamoDb.createTable(DEVICE_STATE_TABLE_DEFINITION),
    progress: await dynamoDb.createTable(SHARD_PROGRESS_TABLE_DEFINITION),
  };
  project = projector(tables);
  environment = {
    AWS_ENDPOINT_URL_KINESIS: await endpointOf(kinesis.client),
    AWS_ENDPOINT_URL_DYNAMODB: await endpointOf(dynamoDb.client),
    AWS_ENDPOINT_URL_S3: s3Url,
    TWINSTREAM_STREAM: STREAM,
    TWINSTREAM_EVENTS_TABLE: tables.events,
    TWINSTREAM_DEVICE_STATE_TABLE: tables.states,
    TWINSTREAM_SHARD_PROGRESS_TABLE: tables.progress,
    TWINSTREAM_ARCHIVE_BUCKET: BUCKET,
  };
  api = runApi(environment);
  ({ url } = JSON.parse(await api.firstLine()));
  await project('bus-1', { type: 'connected', counter: 1, data: { site: 'north', n: 1 } });
  await project('bus-1', { counter: 2, data: { n: 2 } });
  await project('bus-2', { counter: 1, data: { site: 'south', n: 1 } });
});

afterAll(async () => {
  api.child.kill('SIGTERM');
  expect(await api.ended).toBe(0);
  s3.destroy();
  await Promise.all([kinesis.stop(), dynamoDb.close(), s3Server.close()]);
});

/** Where a client sends to: the SDK has it as parts. */
async function endpointOf({
  config,
}: {
  config: { endpoint?: (() => Promise<{ protocol: string; hostname: string; port?: number }>) | undefined };
}) {
  const endpoint = await config.endpoint?.();
  if (endpoint === undefined) throw new Error('the client has no endpoint');
  return `${endpoint.protocol}//${endpoint.hostname}:${endpoint.port}`;
}

/** Puts an event into the stream, and does with it what the projector does. */
function projector({ events, states, progress }: Record<'events' | 'states' | 'progress', string>) {
  const store = dynamoDbEventStore(dynamoDb.client, { tableName: events });
  const table = dynamoDbLatestStateTable(dynamoDb.client, { tableName: states });
  const shards = dynamoDbShardProgressTable(dynamoDb.client, { tableName: progress });
  const heads = new Map<DeviceId, DeviceState>();
  return async (device: string, said: Said) => {
    const arrivalTime = Date.now();
    const event = eventOf(device, said, arrivalTime);
    const command = new PutRecordCommand({
      StreamName: STREAM,
      PartitionKey: device,
      Data: encodeEvent(event),
    });
    const { ShardId = '', SequenceNumber = '' } = await kinesis.client.send(command);
    const place = { sequenceNumber: sequenceNumber(SequenceNumber), subSequenceNumber: 0 };
    const head = heads.get(event.deviceId) ?? newDevice(event.deviceId);
    const plan = planPage(head, shardId(ShardId), [{ place, arrivalTime, event, text: eventText(event) }]);
    if (plan.kind !== 'page') throw new Error(plan.kind);
    await store.appendPage(plan.page);
    await table.write(plan.next);
    heads.set(event.deviceId, plan.next);
    await shards.advance(STREAM, {
      shardId: shardId(ShardId),
      finishedThrough: place.sequenceNumber,
      arrivalTime,
      updatedTime: arrivalTime,
    });
  };
}

async function get(path: string) {
  const response = await fetch(`${url}${path}`);
  const body = await response.json();
  checkAnswer(path, 'GET', response.status, response.headers.get('content-type') ?? undefined, body);
  // biome-ignore lint/suspicious/noExplicitAny: the answer has just been held to the document
  return body as any;
}

describe('the API over Kinesis, DynamoDB and S3', () => {
  test('answers for the fleet, a device, its past and its history', async () => {
    const fleet = await get('/v1/devices');
    expect(fleet.devices.map(({ deviceId }: { deviceId: string }) => deviceId)).toEqual(['bus-1', 'bus-2']);
    const device = await get('/v1/devices/bus-1');
    expect(device).toEqual(fleet.devices[0]);
    expect(device).toMatchObject({ status: 'connected', attributes: { site: 'north', n: 2 } });
    const { events } = await get('/v1/devices/bus-1/events');
    expect(events.map(({ counter }: { counter: number }) => counter)).toEqual([1, 2]);
    const past = await get(`/v1/devices/bus-1?at=${events[0].arrivalTime}&diff=now`);
    expect(past).toMatchObject({
      attributes: { n: 1 },
      changes: { attributes: { n: { before: 1, after: 2 } } },
    });
    expect((await get('/v1/fleet/summary')).total).toBe(2);
  });

  test('says how far the pipeline is', async () => {
    const data = new Uint8Array();
    await s3Quarantine({ client: s3, bucket: BUCKET }).put({
      shardId: shardId('shardId-000000000000'),
      sequenceNumber: sequenceNumber('7'),
      arrivalTime: Date.now(),
      partitionKey: 'k',
      data,
      entries: [
        { reason: 'empty', detail: 'the record has no bytes', subSequenceNumber: 0, partitionKey: 'k', data },
      ],
    });
    await s3.send(
      new PutObjectCommand({
        Bucket: BUCKET,
        Key: 'archive/year=2026/month=11/day=02/hour=08/a.gz',
        Body: 'x',
      }),
    );
    await until('all of it is known', async () => {
      const { quarantined, archive, shards } = await get('/v1/pipeline');
      return (
        quarantined === 1 &&
        archive.lastDeliveryTime !== null &&
        shards.length === 2 &&
        shards.every(({ lagMs, state }: { lagMs: number; state: string }) => lagMs === 0 && state === 'OPEN')
      );
    });
    expect(await get('/v1/pipeline')).toMatchObject({ stream: STREAM, retentionHours: 24 });
  });

  test('tells of a change soon after the projector has finished it, and of no other', async () => {
    const response = await fetch(`${url}/v1/updates?site=north`);
    if (response.body === null) throw new Error('the answer has no body');
    const reader = eventReader(response.body);
    await until('the stream has begun', async () => reader.events.length > 0);
    await project('bus-2', { counter: 2, data: { n: 2 } });
    await project('bus-1', { counter: 3, data: { n: 3 } });
    await until(
      'the change is told',
      async () => reader.events.some(({ event }) => event === 'device'),
      10_000,
    );
    const devices = reader.events.filter(({ event }) => event === 'device');
    expect(devices.map(({ data }) => [data.deviceId, data.attributes.n])).toEqual([['bus-1', 3]]);
    await reader.cancel();
  });

  test('puts a correction on the stream', async () => {
    const path = '/v1/devices/bus-1/corrections';
    const response = await fetch(`${url}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'idempotency-key': 'fix-1' },
      body: JSON.stringify({ data: { n: 4 }, reason: 'wrong', actor: 'ann' }),
    });
    const body = await response.json();
    checkAnswer(path, 'POST', response.status, 'application/json', body);
    expect(body).toMatchObject({ correctionId: 'fix-1', position: { sequenceNumber: expect.any(String) } });
  });

  test('saves its view when it ends, and begins from it', async () => {
    await until('it holds all', async () => (await fetch(`${url}/readyz`)).status === 200);
    const before = await get('/v1/devices');
    api.child.kill('SIGTERM');
    expect(await api.ended).toBe(0);
    api = runApi({ ...environment, TWINSTREAM_LOG_LEVEL: 'info' });
    ({ url } = JSON.parse(await api.firstLine()));
    await until('it holds all again', async () => (await fetch(`${url}/readyz`)).status === 200);
    const { devices } = await get('/v1/devices');
    expect(devices.length).toBe(before.devices.length);
    expect(api.errors()).toContain('"saved view restored"');
  });
});
