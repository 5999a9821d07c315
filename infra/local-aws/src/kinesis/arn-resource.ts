import { consumerOfArn } from './consumer-address.ts';
import type { KinesisService } from './operation.ts';
import { text } from './request-shape.ts';
import type { Stream } from './stream.ts';
import { addressedStream } from './stream-address.ts';
import type { StreamConsumer } from './stream-consumer.ts';

/** API reference, ResourceARN: a stream's or a consumer's (read 2026-12). */
export const RESOURCE_ARN = text({
  min: 1,
  max: 2048,
  pattern: 'arn:aws.*:kinesis:.*:\\d{12}:.*stream/\\S+',
});

/** What a stream and a consumer have alike. */
type Labels = Pick<Stream, 'tags' | 'policy'>;

export interface ArnResource {
  readonly stream: Stream;
  /** Undefined where it is the stream itself. */
  readonly consumer: StreamConsumer | undefined;
  readonly labels: Labels;
}

/** The stream or consumer of an ARN. Throws ResourceNotFoundException. */
export function resourceOf(service: KinesisService, arn: string): ArnResource {
  if (arn.includes('/consumer/')) {
    const { stream, consumer } = consumerOfArn(service, arn);
    return { stream, consumer, labels: consumer };
  }
  const stream = addressedStream(service, { StreamName: undefined, StreamARN: arn });
  return { stream, consumer: undefined, labels: stream };
}

/** Changes the tags or the policy, on disk first. */
export function updateResource(
  { store }: KinesisService,
  { stream, consumer }: ArnResource,
  change: Partial<Labels>,
): void {
  if (consumer === undefined) store.change(stream, change);
  else store.changeConsumer(stream, consumer, change);
}
