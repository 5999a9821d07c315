import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { GetObjectCommand, ListObjectsV2Command, type S3Client } from '@aws-sdk/client-s3';
import { ARCHIVE_PREFIX } from '@twinstream/verification';

/** An object of the archive. */
export interface ArchiveObject {
  readonly key: string;
  readonly bytes: number;
}

/** Arrivals from one time (0: the first) to another. */
export interface ArchiveWindow {
  readonly fromMs: number;
  readonly toMs: number;
  readonly signal: AbortSignal;
}

/** The archive as its readers see it. */
export interface ArchiveObjects {
  /** Objects that may hold arrivals of the window, in no promised order. */
  list(window: ArchiveWindow): AsyncIterable<ArchiveObject>;
  lines(key: string, signal: AbortSignal): AsyncIterable<string>;
}

/** The archive in S3. */
export function s3ArchiveObjects(client: S3Client, bucket: string): ArchiveObjects {
  return {
    list: (window) => archiveObjects(client, bucket, window),
    lines: (key, signal) => archiveObjectLines(client, bucket, key, signal),
  };
}

const HOUR_MS = 3_600_000;
/** The clocks of producers of folders and of records may differ. */
const HOURS_BEFORE = 1;
/**
 * Delivery lags: Lambda retries an archiver's batch for 24 h (its record age), Firehose buffers 15 minutes. Folders of so
 * many hours behind the window are read, too.
 */
const HOURS_AFTER = 25;

/** Folder of an hour, as the delivery stream's prefix names it. */
function hourFolder(timeMs: number): string {
  const [year, month, day, hour] = new Date(timeMs).toISOString().split(/[-T:]/);
  return `${ARCHIVE_PREFIX}year=${year}/month=${month}/day=${day}/hour=${hour}/`;
}

/** Objects that may hold arrivals of the window, by the hour of their delivery. */
export async function* archiveObjects(
  client: S3Client,
  bucket: string,
  { fromMs, toMs, signal }: ArchiveWindow,
): AsyncGenerator<ArchiveObject> {
  const startAfter = fromMs === 0 ? ARCHIVE_PREFIX : hourFolder(Math.max(0, fromMs - HOURS_BEFORE * HOUR_MS));
  const end = `${hourFolder(toMs + HOURS_AFTER * HOUR_MS)}~`;
  let token: string | undefined;
  do {
    const answer = await client.send(
      new ListObjectsV2Command({
        Bucket: bucket,
        Prefix: ARCHIVE_PREFIX,
        StartAfter: startAfter,
        ...(token === undefined ? {} : { ContinuationToken: token }),
      }),
      { abortSignal: signal },
    );
    for (const { Key: key = '', Size: bytes = 0 } of answer.Contents ?? []) {
      // Text order is time order in these keys.
      if (key > end) return;
      yield { key, bytes };
    }
    token = answer.NextContinuationToken;
  } while (token !== undefined);
}

/** Lines of one object, decompressed as they come. */
export async function* archiveObjectLines(
  client: S3Client,
  bucket: string,
  key: string,
  signal: AbortSignal,
): AsyncGenerator<string> {
  const { Body } = await client.send(new GetObjectCommand({ Bucket: bucket, Key: key }), {
    abortSignal: signal,
  });
  if (!(Body instanceof Readable)) throw new TypeError(`${key} has no body to read`);
  const text = Body.pipe(createGunzip());
  Body.on('error', (error) => text.destroy(error));
  for await (const line of createInterface({ input: text, crlfDelay: Number.POSITIVE_INFINITY })) {
    if (line !== '') yield line;
  }
}
