import { type Duration, RemovalPolicy, Validations } from 'aws-cdk-lib';
import { type IStream, Stream, StreamEncryption, StreamMode } from 'aws-cdk-lib/aws-kinesis';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { Construct } from 'constructs';

/** How the shards of a stream are chosen: by AWS, or by a number. */
export type StreamCapacity =
  | { readonly mode: 'on-demand' }
  | { readonly mode: 'provisioned'; readonly shardCount: number };

/** The stream that a pipeline reads: made by it, or of somebody else. */
export interface SourceStream {
  readonly stream: IStream;
}

export interface EventStreamProps {
  readonly key: IKey;
  readonly capacity: StreamCapacity;
  readonly retention: Duration;
  readonly keepsData: boolean;
}

/** The stream of device events. */
export class EventStream extends Construct {
  readonly stream: Stream;

  constructor(scope: Construct, id: string, { key, capacity, retention, keepsData }: EventStreamProps) {
    super(scope, id);
    this.stream = new Stream(this, 'Stream', {
      retentionPeriod: retention,
      encryption: StreamEncryption.KMS,
      encryptionKey: key,
      removalPolicy: keepsData ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY,
      ...(capacity.mode === 'on-demand'
        ? { streamMode: StreamMode.ON_DEMAND }
        : { streamMode: StreamMode.PROVISIONED, shardCount: capacity.shardCount }),
    });
    Validations.of(this.stream).acknowledge({
      id: 'AwsSolutions-KDS3',
      reason:
        'One key of the owner for stream, tables and archive: who takes it away closes all of them. It costs about a dollar a month.',
    });
  }
}
