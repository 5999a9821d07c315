import { fileURLToPath } from 'node:url';
import { CreateBucketCommand, HeadBucketCommand, type S3Client } from '@aws-sdk/client-s3';
import { type ReadyChild, startReadyChild } from '../child-process/ready-child.ts';

export interface S3Options {
  /** Folder that keeps buckets and objects across restarts and kills; in memory when absent. */
  readonly dataDir?: string;
  /** 0, the default, takes a free port. */
  readonly port?: number;
}

/**
 * Starts fauxqs, an S3 server, in a process of its own on 127.0.0.1. With `dataDir`, every acknowledged object survives
 * kill -9. Objects have at most 128 MiB; conditional puts and versions do not exist.
 *
 * Throws `PORT_TAKEN` or `CHILD_NOT_READY`.
 */
export function startS3(options: S3Options = {}): Promise<ReadyChild> {
  const { dataDir, port } = options;
  return startReadyChild(fileURLToPath(new URL('./fauxqs-main.ts', import.meta.url)), [
    ...(port === undefined ? [] : ['--port', String(port)]),
    ...(dataDir === undefined ? [] : ['--path', dataDir]),
  ]);
}

/** Creates the bucket unless it is there; `created` tells which. */
export async function ensureBucket(client: S3Client, bucket: string): Promise<{ readonly created: boolean }> {
  try {
    await client.send(new HeadBucketCommand({ Bucket: bucket }));
    return { created: false };
  } catch (error) {
    if (!(error instanceof Error) || error.name !== 'NotFound') throw error;
  }
  await client.send(new CreateBucketCommand({ Bucket: bucket }));
  return { created: true };
}
