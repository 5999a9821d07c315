import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { steppingClock } from '@twinstream/test-kit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AppendFiles } from '../../src/kinesis/append-files.ts';
import type { KinesisServer, KinesisServerOptions } from '../../src/kinesis/index.ts';
import {
  base64,
  call,
  iteratorOf,
  readShardTexts,
  readTexts,
  refusalOf,
  startServer,
} from './embedded-server.ts';

const HOUR_MS = 3_600_000;

let dataDir: string;
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'twinstream-kinesis-'));
});
// Servers close first: their afterEach was registered later, and hooks run in reverse.
afterEach(() => rmSync(dataDir, { recursive: true, force: true }));

async function restarted(server: KinesisServer, options: KinesisServerOptions = {}): Promise<KinesisServer> {
  await server.close();
  return startServer({ dataDir, ...options });
}

const put = (server: KinesisServer, text: string, PartitionKey = 'k') =>
  call(server, 'PutRecord', { StreamName: 's', PartitionKey, Data: base64(text) });

function segmentPaths(): string[] {
  return readdirSync(dataDir, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.segment'))
    .sort()
    .map((path) => join(dataDir, path));
}

describe('a data folder', () => {
  it('gives back tags, policy, key, metrics and mode of a stream after a restart', async () => {
    const server = await startServer({ dataDir });
    await call(server, 'CreateStream', { StreamName: 's', ShardCount: 1, Tags: { team: 'fleet' } });
    const ResourceARN = 'arn:aws:kinesis:us-east-1:000000000000:stream/s';
    await call(server, 'PutResourcePolicy', { ResourceARN, Policy: '{"Statement":[]}' });
    const encryption = { StreamName: 's', EncryptionType: 'KMS', KeyId: 'alias/aws/kinesis' };
    await call(server, 'StartStreamEncryption', encryption);
    await call(server, 'EnableEnhancedMonitoring', { StreamName: 's', ShardLevelMetrics: ['ALL'] });
    const mode = { StreamARN: ResourceARN, StreamModeDetails: { StreamMode: 'ON_DEMAND' } };
    await call(server, 'UpdateStreamMode', mode);
    const settings = async (of: KinesisServer) => [
      await call(of, 'DescribeStream', { StreamName: 's' }),
      await call(of, 'ListTagsForResource', { ResourceARN }),
      await call(of, 'GetResourcePolicy', { ResourceARN }),
    ];
    const before = await settings(server);
    expect(before[0].StreamDescription).toMatchObject({
      StreamModeDetails: { StreamMode: 'ON_DEMAND' },
      KeyId: 'alias/aws/kinesis',
    });
    expect(await settings(await restarted(server))).toEqual(before);
  });

  it('gives back registered consumers under their ARNs after a restart', async () => {
    const server = await startServer({ dataDir });
    await call(server, 'CreateStream', { StreamName: 's', ShardCount: 1 });
    const StreamARN = 'arn:aws:kinesis:us-east-1:000000000000:stream/s';
    const { Consumer } = await call(server, 'RegisterStreamConsumer', { StreamARN, ConsumerName: 'reader' });
    const again = await restarted(server);
    const { ConsumerARN } = Consumer;
    const { ConsumerDescription } = await call(again, 'DescribeStreamConsumer', { ConsumerARN });
    expect(ConsumerDescription).toEqual({ ...Consumer, ConsumerStatus: 'ACTIVE', StreamARN });
  });

  it('gives back streams, settings, records and their numbers after a restart', async () => {
    const server = await startServer({ dataDir });
    await call(server, 'CreateStream', { StreamName: 's', ShardCount: 3 });
    await call(server, 'IncreaseStreamRetentionPeriod', { StreamName: 's', RetentionPeriodHours: 168 });
    for (let index = 0; index < 50; index += 1) await put(server, `${index}`, `key-${index % 7}`);
    const before = server.records('s');
    const described = await call(server, 'DescribeStream', { StreamName: 's' });
    const again = await restarted(server);
    expect(again.records('s')).toEqual(before);
    expect(await call(again, 'DescribeStream', { StreamName: 's' })).toEqual(described);
    expect((await readTexts(again, 's')).flat()).toHaveLength(50);
  });

  it('keeps iterators valid and sequence numbers rising across a restart', async () => {
    const server = await startServer({ dataDir });
    await call(server, 'CreateStream', { StreamName: 's', ShardCount: 1 });
    const before = await put(server, 'before');
    const trimHorizon = await iteratorOf(server, 's');
    const latest = await iteratorOf(server, 's', 0, { ShardIteratorType: 'LATEST' });
    const again = await restarted(server);
    const after = await put(again, 'after');
    expect(after.SequenceNumber > before.SequenceNumber).toBe(true);
    expect(await readShardTexts(again, trimHorizon)).toEqual(['before', 'after']);
    expect(await readShardTexts(again, latest)).toEqual(['after']);
  });

  it('keeps closed shards, lineage and where records go', async () => {
    const server = await startServer({ dataDir });
    await call(server, 'CreateStream', { StreamName: 's', ShardCount: 2 });
    await put(server, 'before');
    const request = { StreamName: 's', TargetShardCount: 3, ScalingType: 'UNIFORM_SCALING' };
    await call(server, 'UpdateShardCount', request);
    await put(server, 'between');
    const shards = await call(server, 'ListShards', { StreamName: 's' });
    const again = await restarted(server);
    expect(await call(again, 'ListShards', { StreamName: 's' })).toEqual(shards);
    await put(again, 'after');
    const texts = await readTexts(again, 's');
    expect(texts.flat()).toEqual(['before', 'between', 'after']);
    expect(texts).toContainEqual(['between', 'after']);
  });

  it('makes a stream ACTIVE that was stopped in the middle of a change, and ends a deletion', async () => {
    const server = await startServer({ dataDir, transitionMs: 60_000 });
    await call(server, 'CreateStream', { StreamName: 's', ShardCount: 1 });
    expect(await refusalOf(server, 'PutRecord', { StreamName: 's', PartitionKey: 'k', Data: '' })).toBe(
      'ResourceNotFoundException',
    );
    const again = await restarted(server, { transitionMs: 60_000 });
    await put(again, 'kept');
    await call(again, 'SplitShard', {
      StreamName: 's',
      ShardToSplit: 'shardId-000000000000',
      NewStartingHashKey: '1000',
    });
    const updating = await call(again, 'DescribeStreamSummary', { StreamName: 's' });
    expect(updating.StreamDescriptionSummary.StreamStatus).toBe('UPDATING');
    const third = await restarted(again, { transitionMs: 60_000 });
    const active = await call(third, 'DescribeStreamSummary', { StreamName: 's' });
    expect(active.StreamDescriptionSummary).toMatchObject({ StreamStatus: 'ACTIVE', OpenShardCount: 2 });
    await call(third, 'DeleteStream', { StreamName: 's' });
    const fourth = await restarted(third);
    expect(await call(fourth, 'ListStreams', {})).toMatchObject({ StreamNames: [] });
    expect(segmentPaths()).toEqual([]);
  });

  it('is given to one server at a time', async () => {
    await startServer({ dataDir });
    await expect(startServer({ dataDir })).rejects.toMatchObject({
      code: 'DATA_DIR_IN_USE',
      message: expect.stringContaining(`process ${process.pid}`),
    });
  });

  it('is refused by name when it cannot be written', async () => {
    const file = join(dataDir, 'a-file');
    writeFileSync(file, '');
    await expect(startServer({ dataDir: file })).rejects.toMatchObject({ code: 'DATA_DIR_UNWRITABLE' });
  });

  it('takes stream names that are no file names', async () => {
    const server = await startServer({ dataDir });
    for (const StreamName of ['..', '.', 'A', 'a'])
      await call(server, 'CreateStream', { StreamName, ShardCount: 1 });
    await call(server, 'PutRecord', { StreamName: '..', PartitionKey: 'k', Data: base64('x') });
    const again = await restarted(server);
    expect((await call(again, 'ListStreams', {})).StreamNames).toEqual(['.', '..', 'A', 'a']);
    expect(await readTexts(again, '..')).toEqual([['x']]);
  });
});

describe('segment files', () => {
  async function serverWith(...texts: string[]): Promise<KinesisServer> {
    const server = await startServer({ dataDir });
    await call(server, 'CreateStream', { StreamName: 's', ShardCount: 1 });
    for (const text of texts) await put(server, text);
    return server;
  }

  it('lose the torn end of an interrupted append, and go on behind it', async () => {
    const server = await serverWith('1', '2');
    await server.close();
    const [path = ''] = segmentPaths();
    const whole = readFileSync(path);
    for (const bytes of [1, 5, 17, whole.length / 2 - 1]) {
      appendFileSync(path, whole.subarray(0, bytes));
      const again = await startServer({ dataDir });
      expect(statSync(path).size).toBe(whole.length);
      expect(await readTexts(again, 's')).toEqual([['1', '2']]);
      await again.close();
    }
    const last = await startServer({ dataDir });
    await put(last, '3');
    expect(await readTexts(await restarted(last), 's')).toEqual([['1', '2', '3']]);
  });

  it('lose a first append that was interrupted whole, with its file', async () => {
    const server = await serverWith('1');
    await server.close();
    const [path = ''] = segmentPaths();
    truncateSync(path, 20);
    const again = await startServer({ dataDir });
    expect(segmentPaths()).toEqual([]);
    await put(again, '2');
    expect(await readTexts(await restarted(again), 's')).toEqual([['2']]);
  });

  it('are refused by name when an acknowledged record is damaged', async () => {
    const server = await serverWith('1', '2', '3');
    await server.close();
    const [path = ''] = segmentPaths();
    const bytes = readFileSync(path);
    bytes.writeUInt8(bytes.readUInt8(30) ^ 0xff, 30);
    writeFileSync(path, bytes);
    await expect(startServer({ dataDir })).rejects.toMatchObject({
      code: 'KINESIS_SEGMENT_CORRUPT',
      message: expect.stringContaining('damaged at byte 0'),
    });
    await expect(startServer({ dataDir })).rejects.toMatchObject({ code: 'KINESIS_SEGMENT_CORRUPT' });
  });

  it('are deleted when all they hold has expired, but for the last', async () => {
    const clock = steppingClock();
    const server = await startServer({ dataDir, clock });
    await call(server, 'CreateStream', { StreamName: 's', ShardCount: 1 });
    for (let hour = 0; hour < 30; hour += 1) {
      await put(server, `${hour}`);
      clock.advance(HOUR_MS);
    }
    await call(server, 'DescribeStream', { StreamName: 's' });
    expect(segmentPaths().length).toBeLessThanOrEqual(25);
    expect(await readTexts(server, 's')).toEqual([Array.from({ length: 24 }, (_, index) => `${index + 6}`)]);
    clock.advance(100 * HOUR_MS);
    await call(server, 'DescribeStream', { StreamName: 's' });
    expect(segmentPaths()).toHaveLength(1);
    const last = server.records('s')[0]?.records.at(-1)?.sequenceNumber ?? '';
    const again = await restarted(server, { clock });
    expect((await put(again, 'later')).SequenceNumber > last).toBe(true);
    expect(await readTexts(again, 's')).toEqual([['later']]);
  });

  it('are read again when memory was too small to keep them', async () => {
    const server = await startServer({ dataDir, recordMemoryBytesMax: 0 });
    await call(server, 'CreateStream', { StreamName: 's', ShardCount: 2 });
    const texts = Array.from({ length: 60 }, (_, index) => `${index}`);
    for (const text of texts) await put(server, text, `key-${text}`);
    const byNumber = (list: string[]) => [...list].sort((a, b) => Number(a) - Number(b));
    expect(byNumber((await readTexts(server, 's')).flat())).toEqual(texts);
    for (const shard of await readTexts(server, 's')) expect(shard).toEqual(byNumber(shard));
    const again = await restarted(server, { recordMemoryBytesMax: 0 });
    expect(byNumber((await readTexts(again, 's')).flat())).toEqual(texts);
  });

  it('that cannot be created refuse the record, which is then not there', async () => {
    const server = await serverWith();
    const [stream = ''] = readdirSync(join(dataDir, 'streams'));
    const shardFolder = join(dataDir, 'streams', stream, 'shardId-000000000000');
    writeFileSync(shardFolder, 'in the way');
    const request = { StreamName: 's', PartitionKey: 'k', Data: base64('refused') };
    expect(await refusalOf(server, 'PutRecord', request)).toBe('InternalFailure');
    expect(server.counters().recordsFailed).toBe(1);
    rmSync(shardFolder);
    await put(server, 'taken');
    expect(await readTexts(await restarted(server), 's')).toEqual([['taken']]);
  });

  it.runIf(existsSync('/dev/full'))('on a full disk refuse the record, which is then not there', async () => {
    const server = await startServer({ dataDir, random: () => 0 });
    await call(server, 'CreateStream', { StreamName: 's', ShardCount: 1 });
    const [stream = ''] = readdirSync(join(dataDir, 'streams'));
    const shardFolder = join(dataDir, 'streams', stream, 'shardId-000000000000');
    mkdirSync(shardFolder);
    symlinkSync('/dev/full', join(shardFolder, '000000000000001.segment'));
    const Records = [{ PartitionKey: 'k', Data: base64('refused') }];
    const answer = await call(server, 'PutRecords', { StreamName: 's', Records });
    expect(answer).toMatchObject({ FailedRecordCount: 1, Records: [{ ErrorCode: 'InternalFailure' }] });
    await put(server, 'taken');
    expect(await readTexts(await restarted(server), 's')).toEqual([['taken']]);
  });

  it('are cut back to what was acknowledged before they are written again', () => {
    const files = new AppendFiles();
    const path = join(dataDir, 'a.segment');
    files.append(path, 0, Buffer.from('first'));
    appendFileSync(path, 'half of a fr');
    files.append(path, 5, Buffer.from('+2nd'));
    expect(readFileSync(path, 'utf8')).toBe('first+2nd');
    truncateSync(path, 3);
    expect(() => files.append(path, 9, Buffer.from('third'))).toThrow(
      expect.objectContaining({ code: 'KINESIS_SEGMENT_CORRUPT' }),
    );
    files.close();
  });
});
