import { ApiError } from './api-error.ts';
import type { KinesisService } from './operation.ts';
import { text } from './request-shape.ts';
import type { Stream } from './stream.ts';
import { addressedStream, streamArn } from './stream-address.ts';
import type { StreamConsumer } from './stream-consumer.ts';

/** API reference, ConsumerName and ConsumerARN (read 2026-12). */
export const CONSUMER_NAME = text({ min: 1, max: 128, pattern: '[a-zA-Z0-9_.-]+' });
export const CONSUMER_ARN = text({
  min: 1,
  max: 2048,
  pattern: 'arn:aws.*:kinesis:.*:\\d{12}:.*stream\\/[a-zA-Z0-9_.-]+\\/consumer\\/[a-zA-Z0-9_.-]+:[0-9]+',
});
const ARN_PARTS = /^(arn:.*:stream\/[^/]+)\/consumer\/([^/:]+):(\d+)$/;
const SECOND_MS = 1000;

/** `…:stream/devices/consumer/projector:1793606400`: the number is the time of registration, in s. */
export function consumerArn(service: KinesisService, stream: Stream, consumer: StreamConsumer): string {
  return `${streamArn(service, stream.name)}/consumer/${consumer.name}:${creationSeconds(consumer)}`;
}

export function creationSeconds({ createdMs }: StreamConsumer): number {
  return Math.floor(createdMs / SECOND_MS);
}

export interface ConsumerPlace {
  readonly stream: Stream;
  readonly consumer: StreamConsumer;
}

/** The consumer of an ARN. Throws ResourceNotFoundException. */
export function consumerOfArn(service: KinesisService, arn: string): ConsumerPlace {
  const [, StreamARN, name, seconds] = ARN_PARTS.exec(arn) ?? [];
  const stream = addressedStream(service, { StreamName: undefined, StreamARN });
  const consumer = stream.consumers.find((candidate) => candidate.name === name);
  if (!consumer || String(creationSeconds(consumer)) !== seconds) throw consumerNotFound(service, arn);
  return { stream, consumer };
}

/** The consumer of a name. Throws ResourceNotFoundException. */
export function consumerOfName(service: KinesisService, stream: Stream, name: string): ConsumerPlace {
  const consumer = stream.consumers.find((candidate) => candidate.name === name);
  if (!consumer) throw consumerNotFound(service, name);
  return { stream, consumer };
}

/** In the words of moto 5, made from answers of AWS (read 2026-12). */
export function consumerNotFound({ accountId }: KinesisService, consumer: string): ApiError {
  return new ApiError('ResourceNotFoundException', `Consumer ${consumer}, account ${accountId} not found.`);
}
