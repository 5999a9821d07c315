import { S3Client, type S3ClientConfig } from '@aws-sdk/client-s3';
import { httpTransport } from './http-transport.ts';

/** Addresses buckets by path where a custom endpoint is set, because no name server knows `bucket.127.0.0.1`. */
export function s3Client(options: S3ClientConfig = {}): S3Client {
  return new S3Client({ ...httpTransport(), forcePathStyle: true, ...options });
}
