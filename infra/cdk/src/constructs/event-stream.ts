import { RETENTION_HOURS } from '@twinstream/stream-model';
import { Duration, RemovalPolicy, Validations } from 'aws-cdk-lib';
import { Stream, StreamEncryption, StreamMode } from 'aws-cdk-lib/aws-kinesis';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { Construct } from 'constructs';
import type { StreamCapacity } from '../stages.ts';

export interface EventStreamProps {
  readonly key: IKey;
  readonly capacity: StreamCapacity;
  readonly keepsData: boolean;
}

/** The stream of device events. It keeps them for seven days, where a stream that says nothing keeps one. */
export class EventStream extends Construct {
  readonly stream: Stream;

  constructor(scope: Construct, id: string, { key, capacity, keepsData }: EventStreamProps) {
    super(scope, id);
    this.stream = new Stream(this, 'Stream', {
      retentionPeriod: Duration.hours(RETENTION_HOURS),
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
