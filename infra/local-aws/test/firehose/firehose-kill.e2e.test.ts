import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { CreateDeliveryStreamCommand, PutRecordBatchCommand } from '@aws-sdk/client-firehose';
import { GetObjectCommand, ListObjectsV2Command } from '@aws-sdk/client-s3';
import { firehoseClient } from '@twinstream/aws/firehose';
import { s3Client } from '@twinstream/aws/s3';
import { expect, it, vi } from 'vitest';
import { startReadyChild } from '../../src/child-process/ready-child.ts';
import { ensureBucket, startS3 } from '../../src/s3/s3.ts';

const local = { region: 'us-east-1', credentials: { accessKeyId: 'local', secretAccessKey: 'local' } };
const MAIN = fileURLToPath(new URL('./firehose-process.ts', import.meta.url));
const BUCKET = 'firehose-kill';
const KILLS = 5;

it('loses no acknowledged record over kill -9 at any moment, and duplicates none', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'firehose-'));
  const engine = await startS3();
  const s3 = s3Client({ ...local, endpoint: engine.url });
  await ensureBucket(s3, BUCKET);
  const acknowledged: string[] = [];
  const sent: string[] = [];
  let firehose = await startReadyChild(MAIN, [engine.url, dataDir, '30']);
  try {
    const client = firehoseClient({ ...local, endpoint: firehose.url });
    await client.send(
      new CreateDeliveryStreamCommand({
        DeliveryStreamName: 'events',
        ExtendedS3DestinationConfiguration: {
          RoleARN: 'arn:aws:iam::000000000000:role/firehose',
          BucketARN: `arn:aws:s3:::${BUCKET}`,
          CompressionFormat: 'GZIP',
        },
      }),
    );
    client.destroy();
    for (let kill = 0; kill < KILLS; kill += 1) {
      const target = acknowledged.length + 150;
      const putting = putUntilDead(firehose.url, sent, acknowledged);
      await vi.waitFor(() => expect(acknowledged.length).toBeGreaterThan(target), { timeout: 20_000 });
      process.kill(firehose.pid, 'SIGKILL');
      await firehose.exited;
      await putting;
      firehose = await startReadyChild(MAIN, [engine.url, dataDir, '30']);
    }
    await firehose.close();

    const found = new Map<string, number>();
    const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket: BUCKET }));
    for (const { Key } of Contents) {
      const { Body } = await s3.send(new GetObjectCommand({ Bucket: BUCKET, Key }));
      const text = gunzipSync((await Body?.transformToByteArray()) ?? '').toString();
      for (const line of text.trimEnd().split('\n')) found.set(line, (found.get(line) ?? 0) + 1);
    }
    expect(acknowledged.filter((line) => !found.has(line))).toEqual([]);
    expect([...found.keys()].filter((line) => !sent.includes(line))).toEqual([]);
    // Buffers are delivered again under the name they had, so even what was under way comes once.
    expect([...found.values()].filter((count) => count > 1)).toEqual([]);
    expect(readdirSync(join(dataDir, 'events'))).toEqual([]);
  } finally {
    await firehose.close();
    s3.destroy();
    await engine.close();
    rmSync(dataDir, { recursive: true, force: true });
  }
});

/** Puts small batches of new lines until nobody answers. */
async function putUntilDead(url: string, sent: string[], acknowledged: string[]): Promise<void> {
  const client = firehoseClient({ ...local, endpoint: url, maxAttempts: 1 });
  try {
    for (;;) {
      const lines = Array.from({ length: 10 }, (_, index) => `line-${sent.length + index}`);
      sent.push(...lines);
      await client.send(
        new PutRecordBatchCommand({
          DeliveryStreamName: 'events',
          Records: lines.map((line) => ({ Data: Buffer.from(`${line}\n`) })),
        }),
      );
      acknowledged.push(...lines);
    }
  } catch (error) {
    expect(error).toBeInstanceOf(Error);
  } finally {
    client.destroy();
  }
}
