import { connect as connectHttp2, constants } from 'node:http2';
import { connect } from 'node:net';
import {
  CreateStreamCommand,
  GetRecordsCommand,
  GetShardIteratorCommand,
  KinesisClient,
  PutRecordCommand,
  ResourceNotFoundException,
} from '@aws-sdk/client-kinesis';
import { AwsSmithyRpcV2CborProtocol } from '@aws-sdk/core/protocols';
import { Decoder } from 'cbor-x';
import { describe, expect, it } from 'vitest';
import { createFaultInjector } from '../../src/faults/seeded-fault-injector.ts';
import type { KinesisServer } from '../../src/kinesis/index.ts';
import { base64, call, clientOf, iteratorOf, post, refusalOf, startServer } from './embedded-server.ts';

const MIB = 1024 * 1024;
const CBOR = 'application/x-amz-cbor-1.1';

async function serverWithStream(): Promise<KinesisServer> {
  const server = await startServer();
  await call(server, 'CreateStream', { StreamName: 's', ShardCount: 1 });
  return server;
}

/** CBOR as Jackson writes it for the SDKs for Java: maps and lists of indefinite length, times as 64-bit ms. */
function javaCbor(value: unknown): Buffer {
  if (typeof value === 'string') {
    const bytes = Buffer.from(value);
    return Buffer.concat([Buffer.from([0x78, bytes.length]), bytes]);
  }
  if (typeof value === 'number') return Buffer.from([0x18, value]);
  if (value instanceof Uint8Array) return Buffer.concat([Buffer.from([0x58, value.length]), value]);
  if (value instanceof Date) {
    const ms = Buffer.alloc(8);
    ms.writeBigInt64BE(BigInt(value.getTime()));
    return Buffer.concat([Buffer.from([0xc1, 0x1b]), ms]);
  }
  const end = Buffer.from([0xff]);
  if (Array.isArray(value)) return Buffer.concat([Buffer.from([0x9f]), ...value.map(javaCbor), end]);
  const members = Object.entries(Object(value)).flatMap(([name, member]) => [
    javaCbor(name),
    javaCbor(member),
  ]);
  return Buffer.concat([Buffer.from([0xbf]), ...members, end]);
}

const decoder = new Decoder({ mapsAsObjects: true, useRecords: false });

describe('AWS JSON 1.1', () => {
  it('refuses with the error in body and header, and names the request', async () => {
    const server = await startServer();
    const { status, headers, body } = await post(server, 'DescribeStream', '{"StreamName":"absent"}');
    expect(status).toBe(400);
    expect(JSON.parse(body.toString())).toEqual({
      __type: 'ResourceNotFoundException',
      message: 'Stream absent under account 000000000000 not found.',
    });
    expect(headers.get('content-type')).toBe('application/x-amz-json-1.1');
    expect(headers.get('x-amzn-errortype')).toBe('ResourceNotFoundException');
    expect(headers.get('x-amzn-requestid')).toMatch(/^[0-9a-f-]{36}$/);
  });

  it('refuses invalid JSON, invalid Base64, or of a wrong type, with SerializationException', async () => {
    const server = await serverWithStream();
    expect(JSON.parse((await post(server, 'ListStreams', '{')).body.toString()).__type).toBe(
      'SerializationException',
    );
    const put = (Data: unknown) =>
      refusalOf(server, 'PutRecord', { StreamName: 's', PartitionKey: 'k', Data });
    for (const data of ['a', 'abc!', 'a-b_', 'ab=c', '=abc', 17, true, {}, ['YQ==']]) {
      expect(await put(data)).toBe('SerializationException');
    }
    expect(await put('YQ==')).toBe('it was not refused');
    expect(await put('')).toBe('it was not refused');
    expect(await refusalOf(server, 'ListStreams', { Limit: 'many' })).toBe('SerializationException');
    expect(await refusalOf(server, 'ListStreams', [])).toBe('SerializationException');
  });

  it('names every broken constraint of a request in one answer, by its place', async () => {
    const server = await serverWithStream();
    const { body } = await post(
      server,
      'PutRecords',
      JSON.stringify({ StreamName: '', Records: [{ Data: '', PartitionKey: 'k' }, { Data: '' }] }),
    );
    expect(JSON.parse(body.toString())).toEqual({
      __type: 'ValidationException',
      message:
        "3 validation errors detected: Value '' at 'streamName' failed to satisfy constraint: Member must have length " +
        "greater than or equal to 1; Value '' at 'streamName' failed to satisfy constraint: Member must satisfy regular " +
        "expression pattern: [a-zA-Z0-9_.-]+; Value null at 'records.2.member.partitionKey' failed to satisfy " +
        'constraint: Member must not be null',
    });
  });

  it('says which operations there are when asked for another', async () => {
    const server = await startServer();
    const { status, body } = await post(server, 'CreateChannel', '{}');
    expect(status).toBe(400);
    expect(JSON.parse(body.toString())).toMatchObject({
      __type: 'UnknownOperationException',
      message: expect.stringMatching(/no operation CreateChannel\. It has: .*GetRecords.*UpdateShardCount/),
    });
    expect((await fetch(server.url)).status).toBe(400);
  });

  it('refuses a request of more than 24 MiB with 413, and serves the next', async () => {
    const server = await serverWithStream();
    const { status } = await post(server, 'PutRecord', Buffer.alloc(24 * MIB + 1, 0x20));
    expect(status).toBe(413);
    expect(await call(server, 'ListStreams', {})).toMatchObject({ StreamNames: ['s'] });
  });
});

describe('AWS CBOR 1.1', () => {
  it('puts and reads as an SDK for Java does', async () => {
    const server = await serverWithStream();
    const Data = Buffer.from([0, 255, 128, 10]);
    const put = await post(
      server,
      'PutRecords',
      javaCbor({ StreamName: 's', Records: [{ Data, PartitionKey: 'é' }] }),
      CBOR,
    );
    expect(put.headers.get('content-type')).toBe(CBOR);
    expect(decoder.decode(put.body)).toMatchObject({
      FailedRecordCount: 0,
      Records: [{ ShardId: 'shardId-000000000000', SequenceNumber: expect.stringMatching(/^\d{56}$/) }],
    });
    const ShardIterator = await iteratorOf(server, 's');
    const { body } = await post(server, 'GetRecords', javaCbor({ ShardIterator, Limit: 10 }), CBOR);
    const [stored] = server.records('s')[0]?.records ?? [];
    const time = Buffer.alloc(10, 0xc1);
    time[1] = 0x1b;
    time.writeBigInt64BE(BigInt(stored?.arrivalMs ?? 0), 2);
    expect(body.includes(time)).toBe(true);
    expect(body.includes(Buffer.concat([Buffer.from([0x44]), Data]))).toBe(true);
  });

  it('takes times in ms', async () => {
    const server = await serverWithStream();
    await call(server, 'PutRecord', { StreamName: 's', PartitionKey: 'k', Data: base64('x') });
    const [stored] = server.records('s')[0]?.records ?? [];
    const iterator = async (Timestamp: Date) => {
      const request = {
        StreamName: 's',
        ShardId: 'shardId-000000000000',
        ShardIteratorType: 'AT_TIMESTAMP',
        Timestamp,
      };
      const { body } = await post(server, 'GetShardIterator', javaCbor(request), CBOR);
      return decoder.decode(body).ShardIterator;
    };
    const read = async (Timestamp: Date) =>
      (await call(server, 'GetRecords', { ShardIterator: await iterator(Timestamp) })).Records.length;
    expect(await read(new Date(stored?.arrivalMs ?? 0))).toBe(1);
    while (Date.now() <= (stored?.arrivalMs ?? 0)) await call(server, 'ListStreams', {});
    expect(await read(new Date((stored?.arrivalMs ?? 0) + 1))).toBe(0);
  });

  it('refuses in CBOR', async () => {
    const server = await startServer();
    const { status, headers, body } = await post(
      server,
      'DescribeStream',
      javaCbor({ StreamName: 'absent' }),
      CBOR,
    );
    expect(status).toBe(400);
    expect(headers.get('x-amzn-errortype')).toBe('ResourceNotFoundException');
    expect(decoder.decode(body).__type).toBe('ResourceNotFoundException');
    const broken = await post(server, 'DescribeStream', Buffer.from([0xbf, 0x61]), CBOR);
    expect(decoder.decode(broken.body).__type).toBe('SerializationException');
  });
});

describe('Smithy RPC v2 CBOR', () => {
  it('is spoken with an SDK that is set to it', async () => {
    const server = await serverWithStream();
    const client = new KinesisClient({
      endpoint: server.url,
      region: 'us-east-1',
      credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
      maxAttempts: 1,
      protocol: AwsSmithyRpcV2CborProtocol,
    });
    try {
      const before = Date.now();
      await client.send(
        new PutRecordCommand({ StreamName: 's', PartitionKey: 'k', Data: Buffer.from('by RPC') }),
      );
      const { ShardIterator } = await client.send(
        new GetShardIteratorCommand({
          StreamName: 's',
          ShardId: 'shardId-000000000000',
          ShardIteratorType: 'AT_TIMESTAMP',
          Timestamp: new Date(before - 1000),
        }),
      );
      const { Records = [] } = await client.send(new GetRecordsCommand({ ShardIterator }));
      expect(Records.map(({ Data }) => Buffer.from(Data ?? []).toString())).toEqual(['by RPC']);
      expect(Records[0]?.ApproximateArrivalTimestamp?.getTime()).toBeGreaterThanOrEqual(before);
      await client.send(new CreateStreamCommand({ StreamName: 'second', ShardCount: 1 }));
      const absent = client.send(
        new PutRecordCommand({ StreamName: 'absent', PartitionKey: 'k', Data: Buffer.from('') }),
      );
      await expect(absent).rejects.toBeInstanceOf(ResourceNotFoundException);
    } finally {
      client.destroy();
    }
  });
});

describe('one port', () => {
  it('serves HTTP/1.1 and HTTP/2 on one port', async () => {
    const server = await serverWithStream();
    const session = connectHttp2(server.url);
    try {
      const statuses = await Promise.all(
        Array.from({ length: 20 }, (_, index) => {
          const body = JSON.stringify({ StreamName: 's', PartitionKey: 'k', Data: base64(`${index}`) });
          if (index % 2 === 0) return post(server, 'PutRecord', body).then(({ status }) => status);
          return new Promise<number>((resolve, reject) => {
            const stream = session.request({
              ':method': 'POST',
              ':path': '/',
              'content-type': 'application/x-amz-json-1.1',
              'x-amz-target': 'Kinesis_20131202.PutRecord',
            });
            stream.once('response', (headers) => resolve(Number(headers[':status'])));
            stream.once('error', reject);
            stream.resume().end(body);
          });
        }),
      );
      expect(statuses).toEqual(Array(20).fill(200));
      expect(
        server
          .records('s')[0]
          ?.records.map(({ data }) => Number(data))
          .sort((a, b) => a - b),
      ).toEqual(Array.from({ length: 20 }, (_, index) => index));
    } finally {
      session.close();
    }
  });

  it('goes on serving an HTTP/2 connection of which one request was given up', async () => {
    const faults = createFaultInjector();
    const server = await startServer({ faults });
    faults.replace([
      { service: 'kinesis', operation: 'DescribeStream', kind: 'delay', rate: 1, delayMs: 30 },
    ]);
    const session = connectHttp2(server.url);
    const send = (operation: string) =>
      session
        .request({
          ':method': 'POST',
          ':path': '/',
          'content-type': 'application/x-amz-json-1.1',
          'x-amz-target': `Kinesis_20131202.${operation}`,
        })
        .end('{"StreamName":"s"}');
    const status = (stream: ReturnType<typeof send>) =>
      new Promise((resolve, reject) => {
        stream.once('response', (headers) => resolve(headers[':status']));
        stream.once('error', reject);
        stream.resume();
      });
    try {
      const givenUp = send('DescribeStream');
      await expect.poll(() => server.counters().faults.delayed).toBe(1);
      givenUp.close(constants.NGHTTP2_CANCEL);
      await expect.poll(() => server.counters().refusals).toEqual({ ResourceNotFoundException: 1 });
      expect(await status(send('ListStreams'))).toBe(200);
      expect(session.destroyed).toBe(false);
    } finally {
      session.close();
    }
  });

  it('takes the first bytes of a connection one by one', async () => {
    const server = await startServer();
    const socket = connect(server.port, '127.0.0.1').setNoDelay(true);
    const answer = new Promise<string>((resolve, reject) => {
      let text = '';
      socket.on('data', (chunk) => {
        text += chunk;
        if (text.includes('StreamNames')) resolve(text);
      });
      socket.once('error', reject);
    });
    const request =
      'POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Amz-Target: Kinesis_20131202.ListStreams\r\n' +
      'Content-Type: application/x-amz-json-1.1\r\nContent-Length: 2\r\n\r\n{}';
    for (const character of request) {
      await new Promise<void>((resolve) => socket.write(character, () => resolve()));
    }
    expect(await answer).toContain('HTTP/1.1 200 OK');
    socket.destroy();
  });

  it('carries 10 MiB each way over HTTP/2 with the default transport of the SDK', async () => {
    const server = await serverWithStream();
    const client = new KinesisClient({
      endpoint: server.url,
      region: 'us-east-1',
      credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
      maxAttempts: 1,
    });
    try {
      const Data = Buffer.alloc(MIB - 1, 0xa5);
      for (let index = 0; index < 12; index += 1) {
        await client.send(new PutRecordCommand({ StreamName: 's', PartitionKey: 'k', Data }));
      }
      const { Records = [] } = await client.send(
        new GetRecordsCommand({ ShardIterator: await iteratorOf(server, 's') }),
      );
      expect(Records).toHaveLength(10);
      for (const record of Records) expect(Buffer.from(record.Data ?? []).equals(Data)).toBe(true);
    } finally {
      client.destroy();
    }
  });

  it('is refused when it is taken, by name', async () => {
    const { port } = await startServer();
    await expect(startServer({ port })).rejects.toMatchObject({ code: 'PORT_TAKEN' });
  });

  it('closes with clients still connected, and twice', async () => {
    const server = await serverWithStream();
    await clientOf(server).send(new CreateStreamCommand({ StreamName: 'other', ShardCount: 1 }));
    connectHttp2(server.url).on('error', () => undefined);
    await Promise.all([server.close(), server.close()]);
    await expect(fetch(server.url)).rejects.toThrow('fetch failed');
  });
});
