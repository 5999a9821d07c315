import { gunzipSync } from 'node:zlib';
import {
  CreateDeliveryStreamCommand,
  type CreateDeliveryStreamCommandInput,
  DeleteDeliveryStreamCommand,
  type DeliveryStreamType,
  DescribeDeliveryStreamCommand,
  type FirehoseClient,
  ListDeliveryStreamsCommand,
  PutRecordBatchCommand,
  PutRecordCommand,
} from '@aws-sdk/client-firehose';
import { GetObjectCommand, ListObjectsV2Command, type S3Client } from '@aws-sdk/client-s3';
import { firehoseClient } from '@twinstream/aws/firehose';
import { s3Client } from '@twinstream/aws/s3';
import { createLogger } from '@twinstream/runtime';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { ReadyChild } from '../../src/child-process/ready-child.ts';
import { createFaultInjector, type SeededFaultInjector } from '../../src/faults/seeded-fault-injector.ts';
import { type Firehose, startFirehose } from '../../src/firehose/firehose.ts';
import type { LoopbackServer } from '../../src/http/loopback-server.ts';
import { ensureBucket, startS3 } from '../../src/s3/s3.ts';
import { startS3Proxy } from '../../src/s3/s3-proxy.ts';

const local = { region: 'us-east-1', credentials: { accessKeyId: 'local', secretAccessKey: 'local' } };
const logger = createLogger('test', 'silent');
const BUCKET = 'firehose-test';
const STREAM = 'events';

let engine: ReadyChild;
let s3: LoopbackServer;
let objects: S3Client;
let firehose: Firehose;
let client: FirehoseClient;
let injector: SeededFaultInjector;
let prefix = '';
let run = 0;

beforeAll(async () => {
  engine = await startS3();
  injector = createFaultInjector();
  s3 = await startS3Proxy({ upstreamUrl: engine.url, injector, logger });
  objects = s3Client({ ...local, endpoint: engine.url });
  await ensureBucket(objects, BUCKET);
});
afterAll(async () => {
  objects.destroy();
  await s3.close();
  await engine.close();
});
beforeEach(async () => {
  run += 1;
  prefix = `run-${run}/`;
  firehose = await startFirehose({
    s3Url: s3.url,
    injector,
    logger,
    buffering: { bytesMax: 100_000, intervalMs: 50 },
  });
  client = firehoseClient({ ...local, endpoint: firehose.url, maxAttempts: 1 });
});
afterEach(async () => {
  injector.replace([]);
  client.destroy();
  await firehose.close();
});

const createStream = (
  s3Configuration: Partial<CreateDeliveryStreamCommandInput['ExtendedS3DestinationConfiguration']> = {},
  name = STREAM,
) =>
  client.send(
    new CreateDeliveryStreamCommand({
      DeliveryStreamName: name,
      ExtendedS3DestinationConfiguration: {
        RoleARN: 'arn:aws:iam::000000000000:role/firehose',
        BucketARN: `arn:aws:s3:::${BUCKET}`,
        Prefix: `${prefix}!{timestamp:yyyy}/`,
        ErrorOutputPrefix: 'errors/!{firehose:error-output-type}/',
        CompressionFormat: 'GZIP',
        ...s3Configuration,
      },
    }),
  );
const putBatch = (texts: readonly string[]) =>
  client.send(
    new PutRecordBatchCommand({
      DeliveryStreamName: STREAM,
      Records: texts.map((text) => ({ Data: Buffer.from(text) })),
    }),
  );

/** All objects of this run by key, unzipped, in the order of their keys. */
async function delivered(): Promise<Map<string, string>> {
  const { Contents = [] } = await objects.send(new ListObjectsV2Command({ Bucket: BUCKET, Prefix: prefix }));
  const found = new Map<string, string>();
  for (const { Key = '' } of Contents) {
    const { Body } = await objects.send(new GetObjectCommand({ Bucket: BUCKET, Key }));
    const bytes = await Body?.transformToByteArray();
    found.set(Key, (Key.endsWith('.gz') ? gunzipSync(bytes ?? '') : Buffer.from(bytes ?? '')).toString());
  }
  return found;
}
const deliveredText = async () => [...(await delivered()).values()].join('');

describe('delivery', () => {
  it('writes records one after the other without separators, zipped, under the evaluated prefix', async () => {
    await createStream();
    await putBatch(['one\n', 'two\n']);
    await client.send(
      new PutRecordCommand({ DeliveryStreamName: STREAM, Record: { Data: Buffer.from('three') } }),
    );
    await firehose.flush();

    const [[key = '', text] = []] = [...(await delivered())];
    expect(text).toBe('one\ntwo\nthree');
    const year = new Date().getUTCFullYear();
    expect(key).toMatch(new RegExp(`^${prefix}${year}/${STREAM}-1-${year}-[0-9-]{14}-[0-9a-f-]{36}\\.gz$`));
  });

  it('comes by itself when the interval is over', async () => {
    await createStream();
    await putBatch(['one\n']);
    await vi.waitFor(async () => expect(await deliveredText()).toBe('one\n'), { timeout: 5_000 });
  });

  it('comes by itself when the buffer is full, in several objects, and loses nothing', async () => {
    await firehose.close();
    firehose = await startFirehose({
      s3Url: s3.url,
      injector,
      logger,
      buffering: { bytesMax: 10_000, intervalMs: 600_000 },
    });
    client = firehoseClient({ ...local, endpoint: firehose.url });
    await createStream();
    const texts = Array.from(
      { length: 30 },
      (_, index) => `${String(index).padStart(3, '0')}${'x'.repeat(1_000)}\n`,
    );
    for (const text of texts) await putBatch([text]);
    await vi.waitFor(async () => expect((await delivered()).size).toBe(3), { timeout: 5_000 });
    const lines = (await deliveredText()).trimEnd().split('\n');
    expect(lines.sort()).toEqual(texts.map((text) => text.trimEnd()));
  });

  it('leaves bytes as they are when uncompressed', async () => {
    await createStream({ CompressionFormat: 'UNCOMPRESSED', Prefix: prefix });
    const bytes = Buffer.from(Array.from({ length: 256 }, (_, index) => index));
    await client.send(new PutRecordCommand({ DeliveryStreamName: STREAM, Record: { Data: bytes } }));
    await firehose.flush();
    const [key = ''] = [...(await delivered()).keys()];
    expect(key).toMatch(/\/\d{4}\/\d\d\/\d\d\/\d\d\//);
    const { Body } = await objects.send(new GetObjectCommand({ Bucket: BUCKET, Key: key }));
    expect(Buffer.from((await Body?.transformToByteArray()) ?? '')).toEqual(bytes);
  });

  it('goes on until S3 takes the object, however often S3 fails', async () => {
    injector.replace([{ service: 's3', operation: 'PutObject', kind: 'error', rate: 1, count: 8 }]);
    await createStream();
    await putBatch(['one\n']);
    await firehose.flush();
    expect(await deliveredText()).toBe('one\n');
    expect(firehose.status()[STREAM]?.deliveryFailures).toBeGreaterThan(1);
    expect(firehose.status()[STREAM]?.pendingBytes).toBe(0);
  });

  it('is made by close() for what was still buffered', async () => {
    await firehose.close();
    firehose = await startFirehose({
      s3Url: s3.url,
      injector,
      logger,
      buffering: { bytesMax: 1_000_000, intervalMs: 600_000 },
    });
    client = firehoseClient({ ...local, endpoint: firehose.url });
    await createStream();
    await putBatch(['one\n']);
    await firehose.close();
    expect(await deliveredText()).toBe('one\n');
  });
});

describe('a put', () => {
  it('gives each record an id of its own', async () => {
    await createStream();
    const { RequestResponses = [], FailedPutCount } = await putBatch(['a', 'b', 'c']);
    expect(FailedPutCount).toBe(0);
    expect(new Set(RequestResponses.map(({ RecordId }) => RecordId)).size).toBe(3);
  });

  it.each([
    ['more than 500 records', Array.from({ length: 501 }, () => 'x'), 'ValidationException'],
    ['no record', [], 'ValidationException'],
    ['a record above 1,000 KiB', ['x'.repeat(1_000 * 1_024 + 1)], 'ValidationException'],
    [
      'more than 4 MiB',
      Array.from({ length: 5 }, () => 'x'.repeat(1_000 * 1_000)),
      'InvalidArgumentException',
    ],
  ])('is refused for %s', async (_name, texts, name) => {
    await createStream();
    await expect(putBatch(texts)).rejects.toMatchObject({ name });
  });

  it('is taken at the very limits', async () => {
    await createStream();
    const largest = 'x'.repeat(1_000 * 1_024);
    expect((await putBatch([largest, largest, largest, largest])).FailedPutCount).toBe(0);
    expect((await putBatch(Array.from({ length: 500 }, () => 'x'))).FailedPutCount).toBe(0);
  });

  it('to a stream that is not there is ResourceNotFoundException', async () => {
    await expect(putBatch(['x'])).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
  });
});

describe('faults', () => {
  it('fail single records of a batch, and only the others are delivered', async () => {
    injector.replace([
      { service: 'firehose', operation: 'PutRecordBatch', kind: 'partial', rate: 0.5, seed: 7 },
    ]);
    await createStream();
    const texts = Array.from({ length: 40 }, (_, index) => `${index}\n`);
    const { RequestResponses = [], FailedPutCount } = await putBatch(texts);
    const failed = texts.filter(
      (_, index) => RequestResponses[index]?.ErrorCode === 'ServiceUnavailableException',
    );
    expect(failed.length).toBe(FailedPutCount);
    expect(failed.length).toBeGreaterThan(5);
    expect(failed.length).toBeLessThan(35);
    await firehose.flush();
    expect(await deliveredText()).toBe(texts.filter((text) => !failed.includes(text)).join(''));
  });

  it('throttle a request without effect, in the words of AWS', async () => {
    injector.replace([
      { service: 'firehose', operation: 'PutRecordBatch', kind: 'throttle', rate: 1, count: 1 },
    ]);
    await createStream();
    await expect(putBatch(['x'])).rejects.toMatchObject({
      name: 'ServiceUnavailableException',
      $metadata: { httpStatusCode: 503 },
    });
    await firehose.flush();
    expect(await deliveredText()).toBe('');
  });

  it('lose an answer after its effect', async () => {
    injector.replace([
      { service: 'firehose', operation: 'PutRecordBatch', kind: 'lost-answer', rate: 1, count: 1 },
    ]);
    await createStream();
    await expect(putBatch(['x'])).rejects.toThrow();
    await firehose.flush();
    expect(await deliveredText()).toBe('x');
  });
});

describe('delivery streams', () => {
  it('are created, described, listed in pages and deleted', async () => {
    for (const name of ['b', 'a', 'c']) await createStream({}, name);
    await expect(createStream({}, 'a')).rejects.toMatchObject({ name: 'ResourceInUseException' });
    const { DeliveryStreamDescription } = await client.send(
      new DescribeDeliveryStreamCommand({ DeliveryStreamName: 'a' }),
    );
    expect(DeliveryStreamDescription).toMatchObject({
      DeliveryStreamName: 'a',
      DeliveryStreamStatus: 'ACTIVE',
      VersionId: '1',
      CreateTimestamp: expect.any(Date),
      Destinations: [
        {
          ExtendedS3DestinationDescription: {
            BucketARN: `arn:aws:s3:::${BUCKET}`,
            CompressionFormat: 'GZIP',
            BufferingHints: { SizeInMBs: 5, IntervalInSeconds: 5 },
          },
        },
      ],
    });
    const first = await client.send(new ListDeliveryStreamsCommand({ Limit: 2 }));
    expect(first).toMatchObject({ DeliveryStreamNames: ['a', 'b'], HasMoreDeliveryStreams: true });
    const second = await client.send(
      new ListDeliveryStreamsCommand({ ExclusiveStartDeliveryStreamName: 'b' }),
    );
    expect(second).toMatchObject({ DeliveryStreamNames: ['c'], HasMoreDeliveryStreams: false });
    await client.send(new DeleteDeliveryStreamCommand({ DeliveryStreamName: 'b' }));
    await expect(
      client.send(new DescribeDeliveryStreamCommand({ DeliveryStreamName: 'b' })),
    ).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
  });

  it('are listed by their type', async () => {
    await createStream();
    const list = async (DeliveryStreamType: DeliveryStreamType) =>
      (await client.send(new ListDeliveryStreamsCommand({ DeliveryStreamType }))).DeliveryStreamNames;
    expect(await list('DirectPut')).toEqual([STREAM]);
    expect(await list('KinesisStreamAsSource')).toEqual([]);
  });

  it('are refused with tags or encryption, which would not be kept', async () => {
    const s3 = { RoleARN: 'arn:aws:iam::000000000000:role/firehose', BucketARN: `arn:aws:s3:::${BUCKET}` };
    const input = { DeliveryStreamName: STREAM, ExtendedS3DestinationConfiguration: s3 };
    const refused = { name: 'InvalidArgumentException', message: expect.stringContaining('local') };
    for (const more of [
      { Tags: [{ Key: 'a', Value: 'b' }] },
      { DeliveryStreamEncryptionConfigurationInput: { KeyType: 'AWS_OWNED_CMK' as const } },
    ]) {
      const call = client.send(new CreateDeliveryStreamCommand({ ...input, ...more }));
      await expect(call).rejects.toMatchObject(refused);
    }
  });

  it.each([
    ['a buffer of 0 MiB', { BufferingHints: { SizeInMBs: 0, IntervalInSeconds: 60 } }],
    ['a buffer of 129 MiB', { BufferingHints: { SizeInMBs: 129, IntervalInSeconds: 60 } }],
    ['an interval of 901 s', { BufferingHints: { SizeInMBs: 5, IntervalInSeconds: 901 } }],
    ['a size without an interval', { BufferingHints: { SizeInMBs: 5 } }],
    ['a compression that is not built', { CompressionFormat: 'Snappy' as const }],
    ['a bucket that is no ARN', { BucketARN: 'bucket' }],
    ['an expression without an error prefix', { ErrorOutputPrefix: undefined }],
    ['a transformation', { ProcessingConfiguration: { Enabled: true } }],
  ])('are refused with %s', async (_name, configuration) => {
    await expect(createStream(configuration)).rejects.toMatchObject({ name: 'InvalidArgumentException' });
  });
});
