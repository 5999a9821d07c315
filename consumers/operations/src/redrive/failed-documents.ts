import {
  DeleteObjectCommand,
  GetObjectCommand,
  NoSuchKey,
  PutObjectCommand,
  paginateListObjectsV2,
  type S3Client,
} from '@aws-sdk/client-s3';
import { FAILED_BATCHES_PREFIX, IOT_ERRORS_PREFIX, REDRIVEN_PREFIX } from '@twinstream/pipeline-settings';

const PREFIXES = [FAILED_BATCHES_PREFIX, IOT_ERRORS_PREFIX];

/** Recorded beside a document that was redriven. */
export interface RedriveStamp {
  /** ISO 8601 in UTC. */
  readonly time: string;
  readonly reason: string;
  readonly actor: string;
}

export interface FailedListing {
  readonly key: string;
  /** When it was written, milliseconds since 1970. */
  readonly failedMs: number;
}

/** Documents of what failed, in S3, until they are redriven. Errors are those of the SDK. */
export interface FailedDocuments {
  /** By key: for a mapping and shard, and for a device, in the order of their failures. */
  list(signal: AbortSignal): AsyncIterable<FailedListing>;
  /** Undefined where somebody has moved it meanwhile. */
  read(key: string, signal: AbortSignal): Promise<string | undefined>;
  /** Moves a document below {@link REDRIVEN_PREFIX}. Killed halfway, it lies in both places. */
  settle(key: string, text: string, stamp: RedriveStamp, signal: AbortSignal): Promise<void>;
}

export function s3FailedDocuments(client: S3Client, bucket: string): FailedDocuments {
  return {
    async *list(signal) {
      for (const Prefix of PREFIXES) {
        const pages = paginateListObjectsV2({ client }, { Bucket: bucket, Prefix }, { abortSignal: signal });
        for await (const { Contents = [] } of pages) {
          for (const { Key = '', Size = 0, LastModified } of Contents) {
            // What the console calls a folder.
            if (Key.endsWith('/') && Size === 0) continue;
            yield { key: Key, failedMs: LastModified?.getTime() ?? 0 };
          }
        }
      }
    },
    async read(key, signal) {
      try {
        const command = new GetObjectCommand({ Bucket: bucket, Key: key });
        const { Body } = await client.send(command, { abortSignal: signal });
        return (await Body?.transformToString('utf8')) ?? '';
      } catch (error) {
        if (error instanceof NoSuchKey) return undefined;
        throw error;
      }
    },
    async settle(key, text, stamp, signal) {
      const command = new PutObjectCommand({
        Bucket: bucket,
        Key: `${REDRIVEN_PREFIX}${key}`,
        Body: `{"redriven":${JSON.stringify(stamp)},"document":${text}}`,
        ContentType: 'application/json',
      });
      await client.send(command, { abortSignal: signal });
      await client.send(new DeleteObjectCommand({ Bucket: bucket, Key: key }), { abortSignal: signal });
    },
  };
}
