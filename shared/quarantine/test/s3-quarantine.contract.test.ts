import { CreateBucketCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { s3Client } from '@twinstream/aws/s3';
import { encodeQuarantinedRecord, s3Quarantine } from '@twinstream/quarantine';
import { sequenceNumber, shardId } from '@twinstream/stream-model';
import { buildApp } from 'fauxqs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { describeQuarantine } from '../contract/quarantine-contract.ts';

type Fauxqs = ReturnType<typeof buildApp>;
let server: Fauxqs;
let client: ReturnType<typeof s3Client>;
let buckets = 0;

async function newBucket(): Promise<string> {
  buckets += 1;
  const bucket = `quarantine-${buckets}`;
  await client.send(new CreateBucketCommand({ Bucket: bucket }));
  return bucket;
}

beforeAll(async () => {
  server = buildApp({ logger: false });
  const endpoint = await server.listen({ host: '127.0.0.1', port: 0 });
  const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };
  client = s3Client({ endpoint, region: 'us-east-1', credentials });
});

afterAll(async () => {
  client.destroy();
  await server.close();
});

describeQuarantine('S3', async () => ({
  store: s3Quarantine({ client, bucket: await newBucket() }),
  close: async () => {},
}));

describe('S3 quarantine', () => {
  test('lists past one answer of 1,000 objects', async () => {
    const bucket = await newBucket();
    const folder = 'quarantine/year=2026/month=11/day=23/hour=05';
    for (let index = 0; index < 1_010; index += 1) {
      const Key = `${folder}/shardId-000000000000-${index}-3.ndjson`;
      await client.send(new PutObjectCommand({ Bucket: bucket, Key, Body: 'x' }));
    }
    const listings = await Array.fromAsync(s3Quarantine({ client, bucket }).list());
    expect(listings.length).toBe(1_010);
    expect(new Set(listings.map(({ sequenceNumber }) => sequenceNumber)).size).toBe(1_010);
  });

  test('passes over objects that are no quarantined records', async () => {
    const bucket = await newBucket();
    for (const Key of ['quarantine/readme.txt', 'archive/year=2026/month=11/day=23/hour=05/x.gz']) {
      await client.send(new PutObjectCommand({ Bucket: bucket, Key, Body: 'x' }));
    }
    expect(await Array.fromAsync(s3Quarantine({ client, bucket }).list())).toEqual([]);
  });

  test('a bucket that does not exist is an error that no repetition heals', async () => {
    const store = s3Quarantine({ client, bucket: 'no-such-bucket' });
    await expect(Array.fromAsync(store.list())).rejects.toMatchObject({
      code: 'QUARANTINE_REFUSED',
      retryable: false,
    });
  });

  test('a server that is gone is an error that a repetition may heal', async () => {
    const nowhere = s3Client({
      endpoint: 'http://127.0.0.1:1',
      region: 'us-east-1',
      credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
      maxAttempts: 1,
    });
    const store = s3Quarantine({ client: nowhere, bucket: 'any' });
    await expect(store.read('quarantine/x')).rejects.toMatchObject({
      code: 'QUARANTINE_UNAVAILABLE',
      retryable: true,
    });
    nowhere.destroy();
  });

  test('an object that was not written by put is an error that names it', async () => {
    const bucket = await newBucket();
    const Key = 'quarantine/year=2026/month=11/day=23/hour=05/shardId-000000000000-1-1.ndjson';
    const store = s3Quarantine({ client, bucket });
    for (const Body of [' ', '{"reason":"empty"}\n', 'no json\n', '{"reason":"empty"}']) {
      await client.send(new PutObjectCommand({ Bucket: bucket, Key, Body }));
      await expect(store.read(Key)).rejects.toMatchObject({
        code: 'QUARANTINE_OBJECT_INVALID',
        message: expect.stringContaining(Key),
      });
    }
  });

  test('names everything in its folders that is none of its own records, and goes on', async () => {
    const bucket = await newBucket();
    const store = s3Quarantine({ client, bucket });
    const data = Buffer.from('{');
    const record = {
      shardId: shardId('shardId-000000000000'),
      sequenceNumber: sequenceNumber('42'),
      arrivalTime: Date.parse('2026-11-23T05:00:00.000Z'),
      partitionKey: 'bus-1',
      data,
      entries: [
        { reason: 'not-json' as const, detail: 'x', subSequenceNumber: 0, partitionKey: 'bus-1', data },
      ],
    };
    await store.put(record);
    const own = 'quarantine/year=2026/month=11/day=23/hour=05/shardId-000000000000-42-1.ndjson';
    const elsewhere = own.replace('-42-', '-43-');
    const text = encodeQuarantinedRecord(record);
    for (const [Key, Body] of [
      ['quarantine/', ''],
      ['quarantine/readme.txt', 'hello'],
      [elsewhere, text],
      [own.replace('-42-', '-44-'), text.slice(0, -9)],
      [own.replace('quarantine/', 'quarantine-resolved/'), text],
    ] as const) {
      await client.send(new PutObjectCommand({ Bucket: bucket, Key, Body }));
    }
    const contents = await Array.fromAsync(store.contents());
    expect(contents.map((letter) => [letter.key, 'fault' in letter]).sort()).toEqual(
      [
        ['quarantine/readme.txt', true],
        [own, false],
        [elsewhere, true],
        [own.replace('-42-', '-44-'), true],
        [own.replace('quarantine/', 'quarantine-resolved/'), true],
      ].sort(),
    );
    expect(JSON.stringify(contents.filter((letter) => 'fault' in letter))).not.toContain('hello');
  });
});
