import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { FaultDialect, Refusal } from '../faults/fault-proxy.ts';

/** Faults in the shapes of S3. Source: "Error responses", S3 API reference, read 2026-11. */
export const S3_DIALECT: FaultDialect = {
  service: 's3',
  operation: operationOf,
  refuse: (refusal) =>
    refusal === 'throttle'
      ? errorOf(503, 'SlowDown', 'Please reduce your request rate.')
      : errorOf(500, 'InternalError', 'We encountered an internal error. Please try again.'),
};

/** The SDKs name the operation in `x-id`, with exceptions; the rest follows from method, path and query. */
function operationOf(request: IncomingMessage): string {
  const url = new URL(request.url ?? '/', 'http://localhost');
  const named = url.searchParams.get('x-id');
  if (named !== null) return named;
  const [, bucket = '', ...key] = url.pathname.split('/');
  const scope = key.join('/') !== '' ? 'Object' : bucket !== '' ? 'Bucket' : 'Service';
  const has = (name: string) => url.searchParams.has(name);
  switch (`${request.method ?? 'GET'} ${scope}`) {
    case 'PUT Object':
      if (has('uploadId')) return 'UploadPart';
      return request.headers['x-amz-copy-source'] === undefined ? 'PutObject' : 'CopyObject';
    case 'GET Object':
      return 'GetObject';
    case 'HEAD Object':
      return 'HeadObject';
    case 'DELETE Object':
      return has('uploadId') ? 'AbortMultipartUpload' : 'DeleteObject';
    case 'POST Object':
      return has('uploads') ? 'CreateMultipartUpload' : 'CompleteMultipartUpload';
    case 'PUT Bucket':
      return 'CreateBucket';
    case 'HEAD Bucket':
      return 'HeadBucket';
    case 'DELETE Bucket':
      return 'DeleteBucket';
    case 'POST Bucket':
      return 'DeleteObjects';
    case 'GET Bucket':
      return url.searchParams.get('list-type') === '2' ? 'ListObjectsV2' : 'ListObjects';
    case 'GET Service':
      return 'ListBuckets';
    default:
      return 'Unknown';
  }
}

function errorOf(status: number, code: string, message: string): Refusal {
  const requestId = randomUUID();
  return {
    status,
    headers: { 'content-type': 'application/xml', 'x-amz-request-id': requestId },
    body:
      '<?xml version="1.0" encoding="UTF-8"?>\n' +
      `<Error><Code>${code}</Code><Message>${message}</Message><RequestId>${requestId}</RequestId></Error>`,
  };
}
