import { virtualClock } from '@twinstream/test-kit';
import { Decoder, encode } from 'cbor-x';
import { describe, expect, it } from 'vitest';
import type { KinesisServer } from '../../src/kinesis/index.ts';
import { base64, call, startServer } from './embedded-server.ts';

const SHARD = 'shardId-000000000000';
const JSON_TYPE = 'application/x-amz-json-1.1';
const MIB = 1024 * 1024;
/** Missing from the types of cbor-x 1.6.9: without it a tagged 64-bit time cannot be read. */
const decoderOptions = { int64AsNumber: true, mapsAsObjects: true, useRecords: false };
const cbor = new Decoder(decoderOptions);

interface Message {
  readonly headers: Readonly<Record<string, string>>;
  readonly payload: Buffer;
}

/** Reads one message, as the specification lays it out; the checksums are checked by the SDK in the contract. */
function readMessage(message: Buffer): Message {
  expect(message.readUInt32BE(0)).toBe(message.length);
  const headersEnd = 12 + message.readUInt32BE(4);
  const headers: Record<string, string> = {};
  for (let at = 12; at < headersEnd; ) {
    const nameEnd = at + 1 + message.readUInt8(at);
    const valueAt = nameEnd + 3;
    const valueEnd = valueAt + message.readUInt16BE(nameEnd + 1);
    headers[message.toString('utf8', at + 1, nameEnd)] = message.toString('utf8', valueAt, valueEnd);
    at = valueEnd;
  }
  return { headers, payload: message.subarray(headersEnd, message.length - 4) };
}

async function consumerOf(server: KinesisServer, stream: string): Promise<string> {
  await call(server, 'CreateStream', { StreamName: stream, ShardCount: 1 });
  const { StreamDescriptionSummary } = await call(server, 'DescribeStreamSummary', { StreamName: stream });
  const { Consumer } = await call(server, 'RegisterStreamConsumer', {
    StreamARN: StreamDescriptionSummary.StreamARN,
    ConsumerName: 'reader',
  });
  return Consumer.ConsumerARN;
}

async function subscribe(server: KinesisServer, body: Buffer, contentType: string, stop: AbortSignal) {
  const headers: Record<string, string> = {
    'content-type': contentType,
    'x-amz-target': 'Kinesis_20131202.SubscribeToShard',
  };
  const answer = await server.exchange({ method: 'POST', path: '/', header: (name) => headers[name], body });
  if (answer?.events === undefined) throw new Error(`no events: ${answer?.body}`);
  return { answer, messages: answer.events(stop)[Symbol.asyncIterator]() };
}

function fromTheStart(ConsumerARN: string): Buffer {
  return Buffer.from(
    JSON.stringify({ ConsumerARN, ShardId: SHARD, StartingPosition: { Type: 'TRIM_HORIZON' } }),
  );
}

describe('a subscription', () => {
  it('says every 5 s that there is nothing, and ends after 5 minutes', async () => {
    const clock = virtualClock();
    const server = await startServer({ clock });
    const arn = await consumerOf(server, 'devices');
    const startedMs = clock.now();
    const { answer, messages } = await subscribe(
      server,
      fromTheStart(arn),
      JSON_TYPE,
      new AbortController().signal,
    );
    expect(answer.headers['content-type']).toBe('application/vnd.amazon.eventstream');
    const seen: { type: string | undefined; atMs: number }[] = [];
    for (;;) {
      const { done, value } = await clock.run(messages.next());
      if (done) break;
      seen.push({ type: readMessage(value).headers[':event-type'], atMs: clock.now() - startedMs });
    }
    expect(seen[0]).toEqual({ type: 'initial-response', atMs: 0 });
    expect(seen.slice(1)).toEqual(
      Array.from({ length: 60 }, (_, beat) => ({ type: 'SubscribeToShardEvent', atMs: beat * 5_000 })),
    );
    expect(clock.now() - startedMs).toBe(300_000);
  });

  it('sends 2 MiB a second and no more where limits are enforced', async () => {
    const clock = virtualClock();
    const server = await startServer({ clock, limitsEnforced: true });
    const arn = await consumerOf(server, 'devices');
    const Data = Buffer.alloc(MIB - 1).toString('base64');
    for (let record = 0; record < 9; record += 1) {
      await call(server, 'PutRecord', { StreamName: 'devices', PartitionKey: 'a', Data });
      await clock.advance(1_100);
    }
    const startedMs = clock.now();
    const { messages } = await subscribe(server, fromTheStart(arn), JSON_TYPE, new AbortController().signal);
    let records = 0;
    while (records < 9) {
      const { value } = await clock.run(messages.next());
      records += JSON.parse(readMessage(value ?? Buffer.alloc(0)).payload.toString()).Records?.length ?? 0;
    }
    // 2 MiB may be sent immediately, and as many may be owed.
    expect(clock.now() - startedMs).toBeGreaterThan(2_000);
    expect(clock.now() - startedMs).toBeLessThan(5_000);
  });

  it('speaks CBOR to a client that does', async () => {
    const server = await startServer();
    const arn = await consumerOf(server, 'devices');
    await call(server, 'PutRecord', { StreamName: 'devices', PartitionKey: 'a', Data: base64('one') });
    const request = { ConsumerARN: arn, ShardId: SHARD, StartingPosition: { Type: 'TRIM_HORIZON' } };
    const stop = new AbortController();
    const type = 'application/x-amz-cbor-1.1';
    const { messages } = await subscribe(server, encode(request), type, stop.signal);
    const initial = readMessage((await messages.next()).value ?? Buffer.alloc(0));
    expect(initial.headers[':content-type']).toBe(type);
    expect(cbor.decode(initial.payload)).toEqual({});
    const event = cbor.decode(readMessage((await messages.next()).value ?? Buffer.alloc(0)).payload);
    expect(event.Records).toHaveLength(1);
    expect(Buffer.from(event.Records[0].Data).toString()).toBe('one');
    stop.abort();
    expect((await messages.next()).done).toBe(true);
  });

  it('ends with ResourceNotFoundException when its consumer is deregistered', async () => {
    const server = await startServer();
    const ConsumerARN = await consumerOf(server, 'devices');
    const { messages } = await subscribe(
      server,
      fromTheStart(ConsumerARN),
      JSON_TYPE,
      new AbortController().signal,
    );
    await messages.next();
    await messages.next();
    await call(server, 'DeregisterStreamConsumer', { ConsumerARN });
    const { headers } = readMessage((await messages.next()).value ?? Buffer.alloc(0));
    expect(headers).toMatchObject({
      ':message-type': 'exception',
      ':exception-type': 'ResourceNotFoundException',
    });
    expect((await messages.next()).done).toBe(true);
  });

  it('does not keep the server from closing', async () => {
    const server = await startServer();
    const arn = await consumerOf(server, 'devices');
    const response = await fetch(server.url, {
      method: 'POST',
      headers: { 'content-type': JSON_TYPE, 'x-amz-target': 'Kinesis_20131202.SubscribeToShard' },
      body: new Uint8Array(fromTheStart(arn)),
    });
    const body = response.arrayBuffer();
    const startedMs = performance.now();
    await server.close();
    expect(performance.now() - startedMs).toBeLessThan(1_500);
    expect((await body).byteLength).toBeGreaterThan(0);
  });
});
