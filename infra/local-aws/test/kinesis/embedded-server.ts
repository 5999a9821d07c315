import { KinesisClient } from '@aws-sdk/client-kinesis';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import { createLogger } from '@twinstream/runtime';
import { afterEach } from 'vitest';
import { type KinesisServer, type KinesisServerOptions, startKinesis } from '../../src/kinesis/index.ts';

const open = new Set<() => Promise<void>>();

afterEach(async () => {
  const closing = [...open];
  open.clear();
  for (const close of closing) await close();
});

/** A server without transition times and without the limits of shards, closed after the test. */
export async function startServer(options: KinesisServerOptions = {}): Promise<KinesisServer> {
  const server = await startKinesis({
    transitionMs: 0,
    limitsEnforced: false,
    logger: createLogger('kinesis-test', 'silent'),
    ...options,
  });
  open.add(() => server.close());
  return server;
}

/** An HTTP/1.1 client that does not retry, ended after the test. */
export function clientOf(
  server: KinesisServer,
  options: { readonly maxAttempts?: number } = {},
): KinesisClient {
  const client = new KinesisClient({
    endpoint: server.url,
    region: 'us-east-1',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    maxAttempts: options.maxAttempts ?? 1,
    requestHandler: new NodeHttpHandler(),
  });
  open.add(async () => client.destroy());
  return client;
}

export interface RawAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Buffer;
}

/** A request as it is on the wire. */
export async function post(
  server: KinesisServer,
  operation: string,
  body: string | Buffer,
  contentType = 'application/x-amz-json-1.1',
): Promise<RawAnswer> {
  const answer = await fetch(server.url, {
    method: 'POST',
    headers: { 'content-type': contentType, 'x-amz-target': `Kinesis_20131202.${operation}` },
    body: typeof body === 'string' ? body : new Uint8Array(body),
  });
  return { status: answer.status, headers: answer.headers, body: Buffer.from(await answer.arrayBuffer()) };
}

/** JSON in and out. Throws when the request is refused. */
export async function call(server: KinesisServer, operation: string, input: object) {
  const { status, body } = await post(server, operation, JSON.stringify(input));
  if (status !== 200) throw new Error(`${operation}: ${status} ${body}`);
  return body.length === 0 ? {} : JSON.parse(body.toString());
}

/** The error that a request is refused with, by AWS's name. */
export async function refusalOf(server: KinesisServer, operation: string, input: object): Promise<string> {
  const { status, body } = await post(server, operation, JSON.stringify(input));
  return status === 200 ? 'it was not refused' : JSON.parse(body.toString()).__type;
}

export function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}

export async function iteratorOf(
  server: KinesisServer,
  streamName: string,
  shardIndex = 0,
  type: object = { ShardIteratorType: 'TRIM_HORIZON' },
): Promise<string> {
  const ShardId = `shardId-${String(shardIndex).padStart(12, '0')}`;
  return (await call(server, 'GetShardIterator', { StreamName: streamName, ShardId, ...type })).ShardIterator;
}

/** The texts of a stream's records as readers get them, by shard in order of shards, to the end of each. */
export async function readTexts(server: KinesisServer, streamName: string): Promise<string[][]> {
  const { Shards } = await call(server, 'ListShards', { StreamName: streamName });
  const texts: string[][] = [];
  for (const { ShardId } of Shards) {
    const index = Number(ShardId.split('-')[1]);
    texts.push(await readShardTexts(server, await iteratorOf(server, streamName, index)));
  }
  return texts;
}

export async function readShardTexts(server: KinesisServer, first: string): Promise<string[]> {
  const texts: string[] = [];
  for (let next: string | undefined = first; next !== undefined; ) {
    const answer = await call(server, 'GetRecords', { ShardIterator: next });
    for (const { Data } of answer.Records) texts.push(Buffer.from(Data, 'base64').toString());
    next = answer.MillisBehindLatest === 0 ? undefined : answer.NextShardIterator;
  }
  return texts;
}
