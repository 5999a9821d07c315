import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GetObjectCommand, ListObjectsV2Command, PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { s3Client } from '@twinstream/aws/s3';
import { createLogger } from '@twinstream/runtime';
import { describe, expect, it, vi } from 'vitest';
import type { ReadyChild } from '../../src/child-process/ready-child.ts';
import { createFaultInjector } from '../../src/faults/seeded-fault-injector.ts';
import { ensureBucket, startS3 } from '../../src/s3/s3.ts';
import { startS3Proxy } from '../../src/s3/s3-proxy.ts';

const local = { region: 'us-east-1', credentials: { accessKeyId: 'local', secretAccessKey: 'local' } };
const BUCKET = 'twinstream-test';
const connect = (endpoint: string) => s3Client({ ...local, endpoint, maxAttempts: 1 });
const put = (client: S3Client, Key: string, Body: string | Buffer) =>
  client.send(new PutObjectCommand({ Bucket: BUCKET, Key, Body }));
const get = async (client: S3Client, Key: string) => {
  const { Body } = await client.send(new GetObjectCommand({ Bucket: BUCKET, Key }));
  return Buffer.from((await Body?.transformToByteArray()) ?? '');
};

describe('S3', () => {
  it('keeps every acknowledged object over kill -9 when it has a folder', async () => {
    const dataDir = mkdtempSync(join(tmpdir(), 's3-'));
    let server: ReadyChild | undefined;
    try {
      server = await startS3({ dataDir });
      const client = connect(server.url);
      expect(await ensureBucket(client, BUCKET)).toEqual({ created: true });
      expect(await ensureBucket(client, BUCKET)).toEqual({ created: false });
      const acknowledged: string[] = [];
      const putting = (async () => {
        try {
          for (let index = 0; ; index += 1) {
            const key = `archive/year=2026/object ${index}.gz`;
            await put(client, key, `body of ${index}`);
            acknowledged.push(key);
          }
        } catch {
          // The server was killed.
        }
      })();
      await vi.waitFor(() => expect(acknowledged.length).toBeGreaterThan(50), { timeout: 30_000 });
      process.kill(server.pid, 'SIGKILL');
      await server.exited;
      await putting;
      client.destroy();

      server = await startS3({ dataDir });
      const again = connect(server.url);
      for (const [index, key] of acknowledged.entries()) {
        expect((await get(again, key)).toString()).toBe(`body of ${index}`);
      }
      again.destroy();
    } finally {
      await server?.close();
      rmSync(dataDir, { recursive: true, force: true });
    }
  });

  it('takes objects larger than 11 MiB, lists by prefix, and ends without a trace', async () => {
    const server = await startS3();
    const client = connect(server.url);
    await ensureBucket(client, BUCKET);
    const large = Buffer.alloc(20_000_000, 7);
    await put(client, 'a/large', large);
    await put(client, 'b/small', 'x');
    expect((await get(client, 'a/large')).equals(large)).toBe(true);
    const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket: BUCKET, Prefix: 'a/' }));
    expect(Contents.map(({ Key, Size }) => [Key, Size])).toEqual([['a/large', 20_000_000]]);
    client.destroy();
    await server.close();
    expect(() => process.kill(server.pid, 0)).toThrow(/ESRCH/);
  });

  it('says in one line that its port is taken', async () => {
    const server = await startS3();
    const port = Number(new URL(server.url).port);
    await expect(startS3({ port })).rejects.toMatchObject({
      code: 'PORT_TAKEN',
      message: `port ${port} is taken by another process`,
    });
    await server.close();
  });
});

describe('the fault proxy of S3', () => {
  it('injects SlowDown, internal errors and lost answers, by operation', async () => {
    const injector = createFaultInjector();
    const server = await startS3();
    const proxy = await startS3Proxy({
      upstreamUrl: server.url,
      injector,
      logger: createLogger('test', 'silent'),
    });
    const client = connect(proxy.url);
    const direct = connect(server.url);
    try {
      await ensureBucket(client, BUCKET);
      injector.replace([{ service: 's3', operation: 'PutObject', kind: 'throttle', rate: 1, count: 1 }]);
      await expect(put(client, 'a', '1')).rejects.toMatchObject({
        name: 'SlowDown',
        $metadata: { httpStatusCode: 503 },
      });
      await put(client, 'a', '1');
      injector.replace([{ service: 's3', operation: 'GetObject', kind: 'error', rate: 1 }]);
      await expect(get(client, 'a')).rejects.toMatchObject({ name: 'InternalError' });
      injector.replace([{ service: 's3', operation: 'PutObject', kind: 'lost-answer', rate: 1, count: 1 }]);
      await expect(put(client, 'b', '2')).rejects.toThrow();
      expect((await get(direct, 'b')).toString()).toBe('2');
      injector.replace([{ service: 's3', operation: 'ListObjectsV2', kind: 'throttle', rate: 1 }]);
      await expect(client.send(new ListObjectsV2Command({ Bucket: BUCKET }))).rejects.toMatchObject({
        name: 'SlowDown',
      });
      await put(client, 'large', Buffer.alloc(5_000_000, 1));
      expect((await get(client, 'large')).length).toBe(5_000_000);
    } finally {
      client.destroy();
      direct.destroy();
      await proxy.close();
      await server.close();
    }
  });
});
