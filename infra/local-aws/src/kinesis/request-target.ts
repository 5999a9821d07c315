import { awsCborFormat, rpcV2CborFormat } from './cbor-format.ts';
import { jsonFormat } from './json-format.ts';
import type { WireFormat } from './wire-format.ts';

/** What the headers of a request say: which operation, and how it is written. */
export interface RequestTarget {
  readonly service: string;
  readonly operation: string;
  /** Undefined for an unsupported body format. */
  readonly format: WireFormat | undefined;
}

const RPC_V2_PATH = /^\/service\/([^/]+)\/operation\/([^/?]+)/;

/**
 * Reads a request's target: `X-Amz-Target: Kinesis_20131202.PutRecords` in AWS JSON 1.1 and AWS CBOR 1.1, the path
 * `/service/Kinesis_20131202/operation/PutRecords` in Smithy RPC v2 CBOR.
 */
export function requestTarget(
  path: string,
  header: (name: string) => string | undefined,
): RequestTarget | undefined {
  if (header('smithy-protocol') === 'rpc-v2-cbor') {
    const [, service, operation] = RPC_V2_PATH.exec(path) ?? [];
    return service && operation ? { service, operation, format: rpcV2CborFormat } : undefined;
  }
  const [service, operation] = (header('x-amz-target') ?? '').split('.');
  if (!service || !operation) return undefined;
  const contentType = (header('content-type') ?? '').split(';')[0]?.trim().toLowerCase();
  return { service, operation, format: formatOf(contentType) };
}

function formatOf(contentType: string | undefined): WireFormat | undefined {
  switch (contentType) {
    case jsonFormat.contentType:
    case 'application/json':
    case '':
      return jsonFormat;
    case awsCborFormat.contentType:
      return awsCborFormat;
    default:
      return undefined;
  }
}
