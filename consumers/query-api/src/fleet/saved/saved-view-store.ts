import type { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import {
  GetObjectCommand,
  HeadObjectCommand,
  NoSuchKey,
  NotFound,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3';

/** Where the view of the fleet is saved. All processes of a pipeline share one place: the last writer wins. */
export interface SavedViewStore {
  /** When what stands there was written, milliseconds since 1970; undefined where nothing does. */
  savedTime(): Promise<number | undefined>;
  read(signal: AbortSignal): Promise<AsyncIterable<Uint8Array> | undefined>;
  /** What stood there before stands there until the writing has succeeded. */
  write(bytes: Readable): Promise<void>;
}

export interface S3SavedViewOptions {
  readonly client: S3Client;
  readonly bucket: string;
  readonly key: string;
}

/**
 * The saved view as one object. A write takes the compressed view into memory, some 60 bytes a device: one PutObject replaces the
 * object or leaves it as it was.
 */
export function s3SavedView({ client, bucket: Bucket, key: Key }: S3SavedViewOptions): SavedViewStore {
  return {
    savedTime: async () => {
      try {
        const { LastModified } = await client.send(new HeadObjectCommand({ Bucket, Key }));
        return LastModified?.getTime();
      } catch (error) {
        if (error instanceof NotFound) return undefined;
        throw error;
      }
    },
    read: async (abortSignal) => {
      try {
        const { Body } = await client.send(new GetObjectCommand({ Bucket, Key }), { abortSignal });
        return Body as AsyncIterable<Uint8Array> | undefined;
      } catch (error) {
        if (error instanceof NoSuchKey) return undefined;
        throw error;
      }
    },
    write: async (bytes) => {
      const Body = await buffer(bytes);
      await client.send(new PutObjectCommand({ Bucket, Key, Body, ContentType: 'application/zstd' }));
    },
  };
}
