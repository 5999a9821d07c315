import { GetObjectCommand, S3Client, type S3ClientConfig } from '@aws-sdk/client-s3';
import { httpTransport } from './http-transport.ts';

/** Addresses buckets by path where a custom endpoint is set, because no name server knows `bucket.127.0.0.1`. */
export function s3Client(options: S3ClientConfig = {}): S3Client {
  return new S3Client({ ...httpTransport(), forcePathStyle: true, ...options });
}

/** The text of the object at `s3://bucket/key`. Throws RangeError for another URL, and what S3 answers where it is not there. */
export async function readS3Text(client: S3Client, url: string): Promise<string> {
  const [, Bucket, Key] = /^s3:\/\/([^/]+)\/(.+)$/.exec(url) ?? [];
  if (Bucket === undefined || Key === undefined) throw new RangeError(`not s3://bucket/key: ${url}`);
  const { Body } = await client.send(new GetObjectCommand({ Bucket, Key }));
  return (await Body?.transformToString('utf-8')) ?? '';
}
