import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { promisify } from 'node:util';
import type { KinesisClient } from '@aws-sdk/client-kinesis';
import { kinesisClient } from '@twinstream/aws/kinesis';
import { afterEach, expect, test, vi } from 'vitest';
import { kinesisTransport } from '../src/kinesis-transport.ts';

interface Answer {
  readonly status?: number;
  readonly body: object;
}

let server: Server | undefined;
let client: KinesisClient | undefined;

/** A service that answers every call in the same way, and the transport that talks to it. */
async function transportTo(answer: Answer | 'hang up') {
  const requests: { readonly operation: string; readonly input: unknown }[] = [];
  const listening = createServer((request, response) => {
    let text = '';
    request.on('data', (chunk: Buffer) => {
      text += chunk.toString();
    });
    request.on('end', () => {
      if (answer === 'hang up') {
        request.socket.destroy();
        return;
      }
      const target = String(request.headers['x-amz-target']);
      requests.push({ operation: target.split('.')[1] ?? '', input: JSON.parse(text) });
      response.writeHead(answer.status ?? 200, { 'content-type': 'application/x-amz-json-1.1' });
      response.end(JSON.stringify(answer.body));
    });
  });
  server = listening;
  await new Promise<void>((resolve) => {
    listening.listen(0, '127.0.0.1', resolve);
  });
  const { port } = listening.address() as AddressInfo;
  client = kinesisClient({
    endpoint: `http://127.0.0.1:${port}`,
    region: 'us-east-1',
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    maxAttempts: 1,
  });
  return { requests, transport: kinesisTransport({ streamName: 'device-events', client }) };
}

afterEach(async () => {
  client?.destroy();
  const closing = server;
  if (closing === undefined) return;
  closing.closeAllConnections();
  await new Promise((resolve) => {
    closing.close(resolve);
  });
});

const never = new AbortController().signal;

test('records become a PutRecords request, and its answers come back in order', async () => {
  const { requests, transport } = await transportTo({
    body: {
      FailedRecordCount: 1,
      Records: [
        { ShardId: 'shardId-000000000001', SequenceNumber: '495' },
        { ErrorCode: 'ProvisionedThroughputExceededException', ErrorMessage: 'Rate exceeded' },
      ],
    },
  });
  const records = [
    { partitionKey: 'a', data: Buffer.from('hi') },
    { partitionKey: 'b', explicitHashKey: '7', data: Buffer.from('ho') },
  ];
  expect(await transport.putRecords(records, never)).toEqual([
    { status: 'stored', shardId: 'shardId-000000000001', sequenceNumber: '495' },
    { status: 'rejected', errorCode: 'ProvisionedThroughputExceededException', message: 'Rate exceeded' },
  ]);
  expect(requests).toEqual([
    {
      operation: 'PutRecords',
      input: {
        StreamName: 'device-events',
        Records: [
          { PartitionKey: 'a', Data: 'aGk=' },
          { PartitionKey: 'b', ExplicitHashKey: '7', Data: 'aG8=' },
        ],
      },
    },
  ]);
});

test('shards are listed with their ranges, parents and whether they are open', async () => {
  const range = (StartingHashKey: string, EndingHashKey: string) => ({ StartingHashKey, EndingHashKey });
  const { requests, transport } = await transportTo({
    body: {
      Shards: [
        {
          ShardId: 'shardId-0',
          HashKeyRange: range('0', '9'),
          SequenceNumberRange: { StartingSequenceNumber: '1', EndingSequenceNumber: '2' },
        },
        {
          ShardId: 'shardId-1',
          ParentShardId: 'shardId-0',
          AdjacentParentShardId: 'shardId-9',
          HashKeyRange: range('0', '340282366920938463463374607431768211455'),
          SequenceNumberRange: { StartingSequenceNumber: '3' },
        },
      ],
      NextToken: 'more',
    },
  });
  expect(await transport.listShards(undefined, never)).toStrictEqual({
    shards: [
      { shardId: 'shardId-0', hashKeyRange: { start: 0n, end: 9n }, isOpen: false },
      {
        shardId: 'shardId-1',
        hashKeyRange: { start: 0n, end: 2n ** 128n - 1n },
        isOpen: true,
        parentShardId: 'shardId-0',
        adjacentParentShardId: 'shardId-9',
      },
    ],
    nextToken: 'more',
  });
  await transport.listShards('more', never);
  expect(requests.map(({ input }) => input)).toEqual([
    { StreamName: 'device-events' },
    { NextToken: 'more' },
  ]);
});

test.each([
  ['ProvisionedThroughputExceededException', 400, 'STREAM_THROTTLED', true],
  ['LimitExceededException', 400, 'STREAM_THROTTLED', true],
  ['KMSThrottlingException', 400, 'STREAM_THROTTLED', true],
  ['ValidationException', 400, 'REQUEST_INVALID', false],
  ['InvalidArgumentException', 400, 'REQUEST_INVALID', false],
  ['UnheardOfException', 413, 'REQUEST_INVALID', false],
  ['ResourceNotFoundException', 400, 'STREAM_REJECTED', false],
  ['AccessDeniedException', 400, 'STREAM_REJECTED', false],
  ['KMSDisabledException', 400, 'STREAM_REJECTED', false],
  ['ExpiredNextTokenException', 400, 'SHARD_LIST_EXPIRED', true],
  ['InternalFailure', 500, 'STREAM_UNAVAILABLE', true],
  ['ServiceUnavailable', 503, 'STREAM_UNAVAILABLE', true],
])('%s (HTTP %s) is %s', async (name, status, code, retryable) => {
  const { transport } = await transportTo({ status, body: { __type: name, message: 'said the service' } });
  await expect(transport.listShards(undefined, never)).rejects.toMatchObject({
    code,
    retryable,
    message: expect.stringContaining('said the service'),
    cause: { name },
  });
});

test('an answer without a code is a rejection, and no answers are none', async () => {
  const half = [{ SequenceNumber: '1' }, { ShardId: 'shardId-0' }, {}];
  const { transport } = await transportTo({ body: { Records: half } });
  const records = half.map(() => ({ partitionKey: 'a', data: Buffer.from('x') }));
  expect(await transport.putRecords(records, never)).toEqual(
    half.map(() => ({ status: 'rejected', errorCode: 'InternalFailure', message: 'no message' })),
  );
});

test('an answer that lacks its list is an empty one', async () => {
  const { transport } = await transportTo({ body: {} });
  expect(await transport.putRecords([{ partitionKey: 'a', data: Buffer.from('') }], never)).toEqual([]);
  expect(await transport.listShards(undefined, never)).toStrictEqual({ shards: [] });
});

test.each([
  ['no name', { HashKeyRange: { StartingHashKey: '0', EndingHashKey: '9' } }],
  ['no range', { ShardId: 'shardId-0' }],
  ['no start', { ShardId: 'shardId-0', HashKeyRange: { EndingHashKey: '9' } }],
  ['no end', { ShardId: 'shardId-0', HashKeyRange: { StartingHashKey: '0' } }],
])('a shard with %s is refused', async (_, shard) => {
  const { transport } = await transportTo({ body: { Shards: [shard] } });
  await expect(transport.listShards(undefined, never)).rejects.toMatchObject({
    code: 'STREAM_UNAVAILABLE',
    message: expect.stringContaining('without a hash-key range'),
  });
});

test('a shard without sequence numbers is open', async () => {
  const shard = { ShardId: 'shardId-0', HashKeyRange: { StartingHashKey: '0', EndingHashKey: '9' } };
  const { transport } = await transportTo({ body: { Shards: [shard] } });
  expect((await transport.listShards(undefined, never)).shards).toMatchObject([{ isOpen: true }]);
});

test('a signal that is aborted ends a request', async () => {
  const { transport } = await transportTo({ body: {} });
  const aborted = AbortSignal.abort();
  await expect(transport.listShards(undefined, aborted)).rejects.toMatchObject({
    cause: { name: 'AbortError' },
  });
  await expect(transport.putRecords([], aborted)).rejects.toMatchObject({ cause: { name: 'AbortError' } });
});

test('a client of its own is closed with the transport', async () => {
  await transportTo({ body: {} });
  const listening = server;
  if (listening === undefined) throw new Error('no server');
  const { port } = listening.address() as AddressInfo;
  for (const [name, value] of [
    ['AWS_ENDPOINT_URL', `http://127.0.0.1:${port}`],
    ['AWS_REGION', 'us-east-1'],
    ['AWS_ACCESS_KEY_ID', 'test'],
    ['AWS_SECRET_ACCESS_KEY', 'test'],
  ] as const)
    vi.stubEnv(name, value);
  const own = kinesisTransport({ streamName: 'device-events' });
  await own.listShards(undefined, never);
  const connections = promisify(listening.getConnections.bind(listening));
  expect(await connections()).toBe(1);
  own.close?.();
  await expect.poll(() => connections()).toBe(0);
  vi.unstubAllEnvs();
});

test('a connection that breaks is STREAM_UNAVAILABLE', async () => {
  const { transport } = await transportTo('hang up');
  await expect(
    transport.putRecords([{ partitionKey: 'a', data: Buffer.from('') }], never),
  ).rejects.toMatchObject({
    code: 'STREAM_UNAVAILABLE',
    retryable: true,
  });
});

test('a given client stays open when the transport is closed', async () => {
  const { transport } = await transportTo({ body: { Shards: [] } });
  transport.close?.();
  expect(await transport.listShards(undefined, never)).toEqual({ shards: [] });
});
