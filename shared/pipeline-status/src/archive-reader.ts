import { type ListObjectsV2CommandInput, paginateListObjectsV2, type S3Client } from '@aws-sdk/client-s3';
import { ARCHIVE_PREFIX } from '@twinstream/pipeline-settings';
import type { Clock } from '@twinstream/runtime';

/** Tells how fresh the archive is. */
export interface ArchiveReader {
  /** When the newest object was written, milliseconds since 1970; undefined while there is none. */
  lastDeliveryTime(signal?: AbortSignal): Promise<number | undefined>;
}

export interface S3ArchiveReaderOptions {
  readonly client: S3Client;
  readonly bucket: string;
  readonly clock: Clock;
  /** How long an answer stands, in milliseconds. Default 5,000. */
  readonly freshMs?: number;
}

/** `archive/`, then year, month, day and hour. */
const FOLDER_DEPTH = 4;
/** Pages of 1,000 keys that one look lists; objects of an hour beyond them are not looked at. */
const LIST_PAGES_MAX = 20;

/**
 * Finds the newest archive object: first by the names of its folders, later by listing on from the newest hour known, which
 * is one request in the ordinary case.
 */
export function s3ArchiveReader({
  client,
  bucket,
  clock,
  freshMs = 5_000,
}: S3ArchiveReaderOptions): ArchiveReader {
  let newestHour: string | undefined;
  let newestTime: number | undefined;
  let readTime = Number.NEGATIVE_INFINITY;

  async function newestFolder(signal?: AbortSignal): Promise<string | undefined> {
    let folder = ARCHIVE_PREFIX;
    for (let depth = 0; depth < FOLDER_DEPTH; depth += 1) {
      const folders: string[] = [];
      const input = { Bucket: bucket, Prefix: folder, Delimiter: '/' };
      for await (const page of listPages(client, input, signal)) {
        folders.push(...(page.CommonPrefixes ?? []).map(({ Prefix = '' }) => Prefix));
      }
      const last = folders.sort().at(-1);
      if (last === undefined) return undefined;
      folder = last;
    }
    return folder;
  }

  return {
    lastDeliveryTime: async (signal) => {
      if (clock.now() - readTime <= freshMs) return newestTime;
      newestHour ??= await newestFolder(signal);
      if (newestHour !== undefined) {
        const input = { Bucket: bucket, Prefix: ARCHIVE_PREFIX, StartAfter: newestHour };
        for await (const page of listPages(client, input, signal)) {
          for (const { Key = '', LastModified } of page.Contents ?? []) {
            newestTime = Math.max(newestTime ?? 0, LastModified?.getTime() ?? 0);
            newestHour = Key.slice(0, Key.lastIndexOf('/') + 1);
          }
        }
      }
      readTime = clock.now();
      return newestTime;
    },
  };
}

async function* listPages(client: S3Client, input: ListObjectsV2CommandInput, signal?: AbortSignal) {
  const options = signal === undefined ? {} : { abortSignal: signal };
  let pages = 0;
  for await (const page of paginateListObjectsV2({ client }, input, options)) {
    yield page;
    pages += 1;
    if (pages === LIST_PAGES_MAX) return;
  }
}
