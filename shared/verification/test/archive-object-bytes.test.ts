import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { GetObjectCommand, ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import { ARCHIVE_PREFIX } from '@twinstream/pipeline-settings';
import { ARCHIVE_LINE_BYTES_MAX, archiveLines, sequenceNumber, shardId } from '@twinstream/stream-model';
import { archivedPositions, s3ArchiveObjects } from '@twinstream/verification';
import { afterEach, describe, expect, test, vi } from 'vitest';

afterEach(() => vi.restoreAllMocks());

interface Asked {
  readonly signals: unknown[];
  readonly inputs: unknown[];
}

/** An S3 client with these objects. */
function s3With(objects: ReadonlyMap<string, Uint8Array | undefined>, asked?: Asked): S3Client {
  const client = new S3Client({
    region: 'us-east-1',
    credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
  });
  vi.spyOn(client, 'send').mockImplementation((command: unknown, options: unknown) => {
    asked?.signals.push((options as { abortSignal?: AbortSignal } | undefined)?.abortSignal);
    if (command instanceof ListObjectsV2Command) {
      asked?.inputs.push(command.input);
      if (objects.size === 0) return {};
      return { Contents: [...objects].map(([Key, bytes]) => ({ Key, Size: bytes?.length ?? 0 })) };
    }
    if (!(command instanceof GetObjectCommand)) throw new TypeError('neither lists nor reads');
    asked?.inputs.push(command.input);
    const bytes = objects.get(command.input.Key ?? '');
    return { Body: bytes === undefined ? undefined : Readable.from([bytes]) };
  });
  return client;
}

const key = `${ARCHIVE_PREFIX}2026/11/23/05/lines-1.gz`;
const bytesOf = async (client: S3Client, signal?: AbortSignal) => {
  const chunks = await Array.fromAsync(s3ArchiveObjects(client, 'bucket').read(key, signal));
  return Buffer.concat(chunks).toString();
};

describe('an object of the archive', () => {
  test('is read decompressed, from its bucket, under the signal of its reader', async () => {
    const asked: Asked = { signals: [], inputs: [] };
    const { signal } = new AbortController();
    const client = s3With(new Map([[key, gzipSync('a line\n')]]), asked);
    expect(await bytesOf(client, signal)).toBe('a line\n');
    expect(asked.inputs).toEqual([{ Bucket: 'bucket', Key: key }]);
    expect(asked.signals).toEqual([signal]);
    expect(await bytesOf(client)).toBe('a line\n');
    expect(asked.signals).toEqual([signal, undefined]);
  });

  test('that has no body or is cut fails its reader', async () => {
    await expect(bytesOf(s3With(new Map([[key, undefined]])))).rejects.toThrow(`${key} has no body to read`);
    const cut = gzipSync('a line\n'.repeat(1_000)).subarray(0, 40);
    await expect(bytesOf(s3With(new Map([[key, cut]])))).rejects.toMatchObject({ code: 'Z_BUF_ERROR' });
  });

  test('is listed with its bytes, under the signal, and what the console calls a folder is not', async () => {
    const asked: Asked = { signals: [], inputs: [] };
    const { signal } = new AbortController();
    const folder = `${ARCHIVE_PREFIX}2026/`;
    const client = s3With(
      new Map([
        [folder, new Uint8Array()],
        [`${folder}full/`, new Uint8Array(2)],
        [`${folder}none`, new Uint8Array()],
      ]),
      asked,
    );
    expect(await Array.fromAsync(s3ArchiveObjects(client, 'bucket').list({ fromMs: 0, signal }))).toEqual([
      { key: `${folder}full/`, bytes: 2 },
      { key: `${folder}none`, bytes: 0 },
    ]);
    expect(asked.signals).toEqual([signal]);
    expect(asked.inputs).toMatchObject([
      { Bucket: 'bucket', Prefix: ARCHIVE_PREFIX, StartAfter: ARCHIVE_PREFIX },
    ]);
  });

  test('is none where the bucket lists nothing', async () => {
    expect(await Array.fromAsync(s3ArchiveObjects(s3With(new Map()), 'bucket').list({ fromMs: 0 }))).toEqual(
      [],
    );
  });

  test('gives the position of each of its lines, one that was delivered twice twice', async () => {
    const [shard, at] = [shardId('shardId-000000000001'), sequenceNumber('7')];
    const data = Buffer.from('{"v":1}');
    const record = { sequenceNumber: at, partitionKey: 'a', arrivalTime: 1_000, data };
    const [line] = archiveLines(shard, record, ARCHIVE_LINE_BYTES_MAX);
    const text = Buffer.from(line?.binary ?? '', 'latin1').toString();
    const position = { shardId: shard, sequenceNumber: at, subSequenceNumber: 0 };
    const client = s3With(new Map([[key, gzipSync(text + text)]]));
    expect(await Array.fromAsync(archivedPositions(client, 'bucket'))).toMatchObject([position, position]);
  });
});
