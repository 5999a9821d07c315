import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { ARCHIVE_LINE_BYTES_MAX, archiveLines, sequenceNumber, shardId } from '@twinstream/stream-model';
import { Template } from 'aws-cdk-lib/assertions';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { bundle } from '../src/bundles.ts';
import { BUNDLE_FILE } from '../src/code-folders.ts';
import { deployedResources } from './policies.ts';
import { FULL, makeStacks, removeApps } from './templates.ts';

const run = promisify(execFile);
const FOLDER_OF_OBJECT = 'archive/year=2026/month=11/day=30/hour=10/';

const taskSchema = z.object({
  Volumes: z.array(z.object({ Name: z.string(), ConfiguredAtLaunch: z.boolean().default(false) })),
  ContainerDefinitions: z.array(
    z.object({
      Name: z.string(),
      User: z.string().default('root'),
      ReadonlyRootFilesystem: z.boolean().default(false),
      MountPoints: z.array(
        z.object({ SourceVolume: z.string(), ContainerPath: z.string(), ReadOnly: z.boolean() }),
      ),
      Environment: z
        .array(z.object({ Name: z.string(), Value: z.string() }))
        .default([])
        .transform((all) => Object.fromEntries(all.map(({ Name, Value }) => [Name, Value]))),
    }),
  ),
});

const { pipeline, operations } = makeStacks(FULL);
const [definition] = deployedResources([Template.fromStack(pipeline), Template.fromStack(operations)]).filter(
  ({ type }) => type === 'AWS::ECS::TaskDefinition',
);
const task = taskSchema.parse(definition?.properties);
afterAll(removeApps);

describe.each(task.ContainerDefinitions)(
  'container $Name',
  ({ User, ReadonlyRootFilesystem, MountPoints }) => {
    test('does not run as root and does not write its root', () => {
      expect(User).toMatch(/^[1-9]\d*:[1-9]\d*$/);
      expect(ReadonlyRootFilesystem).toBe(true);
    });

    // "Use bind mounts with Amazon ECS" and "Non-root user behavior" (EBS), developer guide, read 2026-12.
    test('writes to volumes alone that ECS opens to its user: a bind mount belongs to root', () => {
      const written = MountPoints.filter(({ ReadOnly }) => !ReadOnly).map(({ SourceVolume }) => SourceVolume);
      const opened = task.Volumes.filter(({ ConfiguredAtLaunch }) => ConfiguredAtLaunch).map(
        ({ Name }) => Name,
      );
      expect(opened).toEqual(expect.arrayContaining(written));
    });
  },
);

describe('the bundle in the task', () => {
  const LINES = 60_000;
  const scratch = mkdtempSync(join(tmpdir(), 'twinstream-scratch-'));
  let archive: Server;
  let endpoint = '';

  beforeAll(async () => {
    const object = gzipSync(Buffer.from(lines(LINES), 'latin1'));
    archive = createServer((request, response) => {
      const { pathname, searchParams } = new URL(request.url ?? '/', 'http://archive');
      const operation = String(request.headers['x-amz-target']).split('.').at(-1) ?? '';
      const answer = ANSWERS[operation];
      if (answer !== undefined) response.end(JSON.stringify(answer));
      else if (pathname.endsWith('/object.gz')) response.end(object);
      else response.end(listing(searchParams.get('prefix') ?? '', object.length));
    });
    await new Promise<void>((resolve) => archive.listen(0, '127.0.0.1', resolve));
    const address = archive.address();
    if (address === null || typeof address === 'string') throw new TypeError('not a TCP server');
    endpoint = `http://127.0.0.1:${address.port}`;
  });
  afterAll(() => {
    archive?.close();
    rmSync(scratch, { recursive: true, force: true });
  });

  test(`sorts ${LINES} lines of the archive, writing where the task may write alone`, async () => {
    const { folder } = await bundle('operations');
    const { MountPoints, Environment } = task.ContainerDefinitions.find(
      ({ Name }) => Name === 'operations',
    ) ?? {
      MountPoints: [],
      Environment: {},
    };
    const here = (path: string) =>
      MountPoints.reduce((text, { ContainerPath }) => text.replace(ContainerPath, scratch), path);
    const writable = MountPoints.some(({ ReadOnly }) => !ReadOnly) ? [`--allow-fs-write=${scratch}`] : [];
    const environment = {
      ...Object.fromEntries(Object.entries(Environment).map(([name, value]) => [name, here(value)])),
      AWS_ENDPOINT_URL: endpoint,
      AWS_ACCESS_KEY_ID: 'local',
      AWS_SECRET_ACCESS_KEY: 'local',
    };
    const { stdout } = await run(
      process.execPath,
      [
        ...['--permission', '--allow-fs-read=*', ...writable, join(folder, BUNDLE_FILE), '--target', 'aws'],
        ...['replay', 'start', '--source', 'archive', '--from', '2026-11-30T10:00:00Z', '--output', 'json'],
      ],
      { env: environment, cwd: '/' },
    );
    expect(JSON.parse(stdout)).toMatchObject({ total: { read: LINES } });
  }, 120_000);
});

const SHARD = shardId('shardId-000000000000');
/** A stream of one shard, and tables without an item (API references, read 2026-12). */
const ANSWERS: Readonly<Record<string, unknown>> = {
  DescribeStreamSummary: {
    StreamDescriptionSummary: {
      StreamName: 'events',
      StreamARN: 'arn:aws:kinesis:us-east-1:123456789012:stream/events',
      StreamStatus: 'ACTIVE',
      RetentionPeriodHours: 168,
      StreamCreationTimestamp: 1_790_000_000,
      EnhancedMonitoring: [],
      OpenShardCount: 1,
    },
  },
  GetItem: {},
  PutItem: {},
  UpdateItem: {},
  Query: { Items: [], Count: 0, ScannedCount: 0 },
  ListShards: {
    Shards: [
      {
        ShardId: SHARD,
        HashKeyRange: { StartingHashKey: '0', EndingHashKey: String(2n ** 128n - 1n) },
        SequenceNumberRange: { StartingSequenceNumber: '1' },
      },
    ],
  },
};

/** Lines as the archiver writes them, of events of 400 bytes: more than a sort keeps in memory. */
function lines(count: number): string {
  const texts: string[] = [];
  const note = 'x'.repeat(250);
  for (let n = 0; n < count; n += 1) {
    const event = {
      v: 1,
      deviceId: `pump-${n % 50}`,
      type: 'reported',
      time: '2026-11-30T10:00:00Z',
      session: 1,
    };
    const record = {
      partitionKey: event.deviceId,
      sequenceNumber: sequenceNumber(String(10 ** 15 + n)),
      arrivalTime: Date.parse('2026-11-30T10:00:00Z') + n,
      data: Buffer.from(`${JSON.stringify({ ...event, counter: n, data: { note } })}\n`),
    };
    for (const { binary } of archiveLines(SHARD, record, ARCHIVE_LINE_BYTES_MAX)) texts.push(binary);
  }
  return texts.join('');
}

/** ListObjectsV2 of a bucket that holds one object. */
function listing(prefix: string, size: number): string {
  const key = `${FOLDER_OF_OBJECT}object.gz`;
  const contents = key.startsWith(prefix)
    ? `<Contents><Key>${key}</Key><Size>${size}</Size><LastModified>2026-11-30T10:05:00.000Z</LastModified></Contents>`
    : '';
  return `<?xml version="1.0"?><ListBucketResult><IsTruncated>false</IsTruncated>${contents}</ListBucketResult>`;
}
