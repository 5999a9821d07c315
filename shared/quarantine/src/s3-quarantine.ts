import {
  DeleteObjectCommand,
  GetObjectCommand,
  NoSuchKey,
  PutObjectCommand,
  paginateListObjectsV2,
  type S3Client,
  S3ServiceException,
} from '@aws-sdk/client-s3';
import { hourFolder, QUARANTINE_PREFIX, RESOLVED_PREFIX } from '@twinstream/pipeline-settings';
import { CodedError } from '@twinstream/runtime';
import { readDeadLetter, readResolvedLetter } from './dead-letter.ts';
import { laterKey, quarantineKey, readQuarantineKey } from './quarantine-key.ts';
import { decodeQuarantinedRecord, encodeQuarantinedRecord } from './quarantine-lines.ts';
import type { QuarantineListing } from './quarantine-store.ts';
import type { ResolvedRecord } from './resolution.ts';
import type { ResolvableQuarantine } from './resolvable-quarantine.ts';
import { decodeResolved, encodeResolved, resolvedKey } from './resolved-lines.ts';

export interface S3QuarantineOptions {
  readonly client: S3Client;
  readonly bucket: string;
}

/** A quarantine of NDJSON objects in S3, one per record, below {@link QUARANTINE_PREFIX}. */
export function s3Quarantine({ client, bucket }: S3QuarantineOptions): ResolvableQuarantine {
  const textOf = (key: string, signal: AbortSignal | undefined) => objectText(client, bucket, key, signal);
  return {
    async put(record, signal) {
      const Key = quarantineKey(record);
      const Body = encodeQuarantinedRecord(record);
      const command = new PutObjectCommand({
        Bucket: bucket,
        Key,
        Body,
        ContentType: 'application/x-ndjson',
      });
      await available(signal, `${Key} could not be put into ${bucket}`, () =>
        client.send(command, abortable(signal)),
      );
    },

    async *list({ from, to, after = '', signal } = {}): AsyncIterable<QuarantineListing> {
      const startAfter = laterKey(after, from === undefined ? '' : hourFolder(QUARANTINE_PREFIX, from));
      const input = {
        Bucket: bucket,
        Prefix: QUARANTINE_PREFIX,
        ...(startAfter === '' ? {} : { StartAfter: startAfter }),
      };
      const pages = paginateListObjectsV2({ client }, input, abortable(signal))[Symbol.asyncIterator]();
      for (;;) {
        const page = await available(signal, `${bucket} could not be listed`, () => pages.next());
        if (page.done) return;
        for (const { Key = '', Size = 0 } of page.value.Contents ?? []) {
          signal?.throwIfAborted();
          const listing = readQuarantineKey(Key);
          if (listing === undefined) continue;
          // S3 lists in the order of UTF-8 text, which in these keys is the order of hours (ListObjectsV2, read 2026-11).
          if (to !== undefined && listing.arrivalHour >= to) return;
          yield { ...listing, sizeBytes: Size };
        }
      }
    },

    async read(key, signal) {
      const text = await textOf(key, signal);
      return text === undefined ? undefined : decodeQuarantinedRecord(text, key);
    },

    async resolve(key, resolution, signal) {
      const text = await textOf(key, signal);
      if (text === undefined) return false;
      const command = new PutObjectCommand({
        Bucket: bucket,
        Key: resolvedKey(key),
        Body: encodeResolved(text, resolution),
        ContentType: 'application/x-ndjson',
      });
      await available(signal, `${resolvedKey(key)} could not be put into ${bucket}`, () =>
        client.send(command, abortable(signal)),
      );
      await available(signal, `${key} could not be deleted from ${bucket}`, () =>
        client.send(new DeleteObjectCommand({ Bucket: bucket, Key: key }), abortable(signal)),
      );
      return true;
    },

    async *resolved(signal): AsyncIterable<ResolvedRecord> {
      const input = { Bucket: bucket, Prefix: RESOLVED_PREFIX };
      const pages = paginateListObjectsV2({ client }, input, abortable(signal))[Symbol.asyncIterator]();
      for (;;) {
        const page = await available(signal, `${bucket} could not be listed`, () => pages.next());
        if (page.done) return;
        for (const { Key = '' } of page.value.Contents ?? []) {
          const text = await textOf(Key, signal);
          const record = text === undefined ? undefined : decodeResolved(text, Key);
          if (record !== undefined) yield record;
        }
      }
    },

    // What is taken out meanwhile is put below the other folder first: it is met there, or in both.
    async *contents(signal) {
      for (const [prefix, read] of [
        [QUARANTINE_PREFIX, readDeadLetter],
        [RESOLVED_PREFIX, readResolvedLetter],
      ] as const) {
        const pages = paginateListObjectsV2(
          { client, pageSize: READS_AT_ONCE },
          { Bucket: bucket, Prefix: prefix },
          abortable(signal),
        )[Symbol.asyncIterator]();
        for (;;) {
          const page = await available(signal, `${bucket} could not be listed`, () => pages.next());
          if (page.done) break;
          const keys = (page.value.Contents ?? []).flatMap(({ Key }) => Key ?? []);
          const texts = await Promise.all(keys.map((key) => textOf(key, signal)));
          for (const [index, text] of texts.entries()) {
            // What the console calls a folder, and what was taken out meanwhile.
            if (text !== undefined && !(text === '' && keys[index]?.endsWith('/') === true)) {
              yield read(keys[index] ?? '', text);
            }
          }
        }
      }
    },
  };
}

/** Objects that are read at the same time. */
const READS_AT_ONCE = 32;

function objectText(
  client: S3Client,
  bucket: string,
  key: string,
  signal: AbortSignal | undefined,
): Promise<string | undefined> {
  return available(signal, `${key} could not be read from ${bucket}`, async () => {
    try {
      const answer = await client.send(new GetObjectCommand({ Bucket: bucket, Key: key }), abortable(signal));
      return await answer.Body?.transformToString('utf8');
    } catch (error) {
      if (error instanceof NoSuchKey) return undefined;
      throw error;
    }
  });
}

function abortable(signal: AbortSignal | undefined) {
  return signal === undefined ? {} : { abortSignal: signal };
}

// Amazon S3 API reference, "Error responses": these ask to slow down whatever their status is (read 2026-11).
const THROTTLES = new Set(['SlowDown', 'RequestTimeout', 'ThrottlingException', 'TooManyRequestsException']);

/** Turns what the client throws into this port's own errors; the client has already retried what may be retried. */
async function available<T>(
  signal: AbortSignal | undefined,
  message: string,
  call: () => Promise<T>,
): Promise<T> {
  signal?.throwIfAborted();
  try {
    return await call();
  } catch (cause) {
    signal?.throwIfAborted();
    const isTransient = !(cause instanceof S3ServiceException) || isLater(cause);
    const code = isTransient ? 'QUARANTINE_UNAVAILABLE' : 'QUARANTINE_REFUSED';
    const fault = cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause);
    throw new CodedError(code, `${message}: ${fault}`, { retryable: isTransient, cause });
  }
}

/** True where the service says "later"; false where only a change of rights, names or input can help. */
function isLater({ name, $metadata }: S3ServiceException): boolean {
  const status = $metadata.httpStatusCode ?? 500;
  return status >= 500 || status === 429 || THROTTLES.has(name);
}
