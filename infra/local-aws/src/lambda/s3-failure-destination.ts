import { randomUUID } from 'node:crypto';
import { PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import type { Clock } from '@twinstream/runtime';
import { type FailedBatchOrigin, failedBatchDocument, failedBatchKey } from './failed-batch.ts';
import type { FailureDestination } from './failure-destination.ts';

/** Keeps given-up batches in a bucket, as Lambda does: the records as well as what is known of their failure. */
export function s3FailureDestination(
  client: S3Client,
  bucket: string,
  origin: FailedBatchOrigin,
  clock: Clock,
): FailureDestination {
  return {
    keep: async (batch) => {
      const stamp = { nowMs: clock.now(), newId: randomUUID };
      await client.send(
        new PutObjectCommand({
          Bucket: bucket,
          Key: failedBatchKey(batch, origin.mappingId, stamp),
          Body: failedBatchDocument(batch, origin, stamp),
          ContentType: 'application/json',
        }),
      );
    },
  };
}
