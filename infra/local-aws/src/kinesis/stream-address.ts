import { invalidArgument, resourceInUse, streamNotFound } from './api-error.ts';
import type { KinesisService } from './operation.ts';
import { optional, text } from './request-shape.ts';
import type { Stream } from './stream.ts';

/** API reference, StreamName and StreamARN (read 2026-11). */
export const STREAM_NAME = text({ min: 1, max: 128, pattern: '[a-zA-Z0-9_.-]+' });
export const STREAM_ARN = text({ min: 1, max: 2048, pattern: 'arn:aws.*:kinesis:.*:\\d{12}:stream/\\S+' });
const ARN_PARTS = /^arn:[^:]+:kinesis:([^:]*):(\d{12}):stream\/(.+)$/;

/** The members by which every operation names its stream; either will do. */
export const STREAM_ADDRESS = { StreamName: optional(STREAM_NAME), StreamARN: optional(STREAM_ARN) };

export interface StreamAddress {
  readonly StreamName: string | undefined;
  readonly StreamARN: string | undefined;
}

type Account = Pick<KinesisService, 'region' | 'accountId'>;

export function streamArn({ region, accountId }: Account, name: string): string {
  return `arn:aws:kinesis:${region}:${accountId}:stream/${name}`;
}

/** The stream that a request names. Throws ResourceNotFoundException, also for another region's or account's. */
export function addressedStream(service: KinesisService, { StreamName, StreamARN }: StreamAddress): Stream {
  if (StreamName === undefined && StreamARN === undefined) {
    throw invalidArgument('Either StreamName or StreamARN must be provided.');
  }
  const [, region, accountId, arnName] = StreamARN === undefined ? [] : (ARN_PARTS.exec(StreamARN) ?? []);
  if (StreamName !== undefined && arnName !== undefined && StreamName !== arnName) {
    throw invalidArgument(`StreamName ${StreamName} and StreamARN ${StreamARN} name different streams.`);
  }
  const name = arnName ?? StreamName ?? '';
  const isOurs = StreamARN === undefined || (region === service.region && accountId === service.accountId);
  const stream = isOurs ? service.store.find(name) : undefined;
  if (!stream) throw streamNotFound(name, accountId ?? service.accountId);
  return stream;
}

/** A stream whose records can be put and read: ACTIVE or UPDATING. Any other is as good as absent. */
export function usableStream(service: KinesisService, address: StreamAddress): Stream {
  const stream = addressedStream(service, address);
  if (!isUsable(stream)) throw streamNotFound(stream.name, service.accountId);
  return stream;
}

export function isUsable({ status }: Stream): boolean {
  return status === 'ACTIVE' || status === 'UPDATING';
}

/** A stream that can be changed: ACTIVE. Throws ResourceInUseException. */
export function activeStream(service: KinesisService, address: StreamAddress): Stream {
  const stream = addressedStream(service, address);
  if (stream.status !== 'ACTIVE') {
    throw resourceInUse(
      `Stream ${stream.name} under account ${service.accountId} not ACTIVE, instead in state ${stream.status}`,
    );
  }
  return stream;
}
