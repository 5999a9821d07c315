import { CreateBucketCommand, PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { s3Client } from '@twinstream/aws/s3';
import { systemClock } from '@twinstream/runtime';
import { steppingClock } from '@twinstream/test-kit';
import { buildApp } from 'fauxqs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { s3ArchiveReader } from '../src/archive-reader.ts';

let server: ReturnType<typeof buildApp>;
let client: S3Client;
let requests = 0;
let buckets = 0;

beforeAll(async () => {
  server = buildApp({ logger: false });
  const endpoint = await server.listen({ host: '127.0.0.1', port: 0 });
  client = s3Client({
    endpoint,
    region: 'us-east-1',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
  });
  client.middlewareStack.add(
    (next) => (args) => {
      requests += 1;
      return next(args);
    },
    { step: 'initialize' },
  );
});
afterAll(async () => {
  client.destroy();
  await server.close();
});

async function fixture() {
  buckets += 1;
  const bucket = `archive-${buckets}`;
  await client.send(new CreateBucketCommand({ Bucket: bucket }));
  const clock = steppingClock();
  const put = (key: string) => client.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: 'x' }));
  const reader = s3ArchiveReader({ client, bucket, clock });
  /** Time of an object as S3 has it: whole seconds in a listing. */
  const isRecent = (time: number | undefined) => time !== undefined && Math.abs(Date.now() - time) < 60_000;
  return { clock, put, reader, isRecent };
}

describe('the archive reader on S3', () => {
  test('finds nothing where there is nothing', async () => {
    const { reader, put } = await fixture();
    await put('quarantine/year=2026/month=11/day=02/hour=08/x.ndjson');
    expect(await reader.lastDeliveryTime()).toBeUndefined();
  });

  test('finds the newest object among years of folders, and then follows with one request', async () => {
    const { reader, put, clock, isRecent } = await fixture();
    await put('archive/year=2025/month=12/day=31/hour=23/a.gz');
    await put('archive/year=2026/month=02/day=10/hour=09/b.gz');
    await put('archive/year=2026/month=11/day=02/hour=08/c.gz');
    const first = await reader.lastDeliveryTime();
    expect(isRecent(first)).toBe(true);
    const before = requests;
    expect(await reader.lastDeliveryTime()).toBe(first);
    expect(requests).toBe(before);
    // A listing tells times in whole seconds: wait for the next one, so that the new object is told apart.
    await systemClock.sleep(1_000 - (Date.now() % 1_000) + 20);
    await put('archive/year=2026/month=11/day=02/hour=09/d.gz');
    clock.advance(5_001);
    const putRequests = requests;
    expect((await reader.lastDeliveryTime()) ?? 0).toBeGreaterThan(first ?? 0);
    expect(requests - putRequests).toBe(1);
  });
});
