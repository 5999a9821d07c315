import { pipeline, Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { GetObjectCommand, paginateListObjectsV2, type S3Client } from '@aws-sdk/client-s3';
import { ARCHIVE_PREFIX, hourFolder } from '@twinstream/pipeline-settings';

/** An object of the archive. */
export interface ArchiveObject {
  readonly key: string;
  readonly bytes: number;
}

/** Arrivals from one time (0: the first) to another (absent: all there are). Milliseconds since 1970. */
export interface ArchiveWindow {
  readonly fromMs: number;
  readonly toMs?: number;
  readonly signal?: AbortSignal | undefined;
}

/** The archive as its readers see it. */
export interface ArchiveObjects {
  /** Objects that may hold arrivals of the window, in no promised order. */
  list(window: ArchiveWindow): AsyncIterable<ArchiveObject>;
  /** The bytes of an object, decompressed as they come. Throws an error with a code `Z_…` for an incomplete or invalid GZIP file. */
  read(key: string, signal?: AbortSignal): AsyncIterable<Uint8Array>;
}

const HOUR_MS = 3_600_000;
/** The clocks of producers of folders and of records may differ. */
const HOURS_BEFORE = 1;
/**
 * Delivery lags: Lambda retries an archiver's batch for 24 h (its record age), Firehose buffers 15 minutes. Folders of so
 * many hours after the window are read, too.
 */
const HOURS_AFTER = 25;
/** No folder lies after it. */
const TIME_MAX = Date.UTC(9_999, 11, 31, 23);

/** The archive in S3. */
export function s3ArchiveObjects(client: S3Client, bucket: string): ArchiveObjects {
  return {
    list: (window) => listObjects(client, bucket, window),
    read: (key, signal) => gunzipped(storedBytes(client, bucket, key, signal)),
  };
}

/** Decompresses as bytes come. */
export function gunzipped(stored: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  return pipeline(Readable.from(stored), createGunzip(), () => {
    // The reader receives the error.
  });
}

async function* listObjects(
  client: S3Client,
  bucket: string,
  { fromMs, toMs, signal }: ArchiveWindow,
): AsyncGenerator<ArchiveObject> {
  const startAfter =
    fromMs === 0 ? ARCHIVE_PREFIX : hourFolder(ARCHIVE_PREFIX, Math.max(0, fromMs - HOURS_BEFORE * HOUR_MS));
  const end =
    toMs === undefined
      ? undefined
      : `${hourFolder(ARCHIVE_PREFIX, Math.min(toMs + HOURS_AFTER * HOUR_MS, TIME_MAX))}~`;
  const input = { Bucket: bucket, Prefix: ARCHIVE_PREFIX, StartAfter: startAfter };
  const options = signal === undefined ? {} : { abortSignal: signal };
  for await (const { Contents = [] } of paginateListObjectsV2({ client }, input, options)) {
    for (const { Key: key = '', Size: bytes = 0 } of Contents) {
      // Text order is time order in these keys.
      if (end !== undefined && key > end) return;
      // What the console calls a folder.
      if (key.endsWith('/') && bytes === 0) continue;
      yield { key, bytes };
    }
  }
}

async function* storedBytes(
  client: S3Client,
  bucket: string,
  key: string,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  const { Body } = await client.send(
    new GetObjectCommand({ Bucket: bucket, Key: key }),
    signal === undefined ? {} : { abortSignal: signal },
  );
  if (!(Body instanceof Readable)) throw new TypeError(`${key} has no body to read`);
  yield* Body;
}
