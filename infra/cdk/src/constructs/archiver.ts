import { Construct } from 'constructs';
import type { Archive } from './archive.ts';
import type { SourceStream } from './event-stream.ts';
import { StreamConsumer, type StreamConsumerProps } from './stream-consumer.ts';

export interface ArchiverProps
  extends Pick<StreamConsumerProps, 'key' | 'logDays' | 'mapping' | 'reservedConcurrency' | 'aliasName'> {
  readonly eventStream: SourceStream;
  readonly archive: Archive;
  readonly memoryMiB?: number | undefined;
}

const MEMORY_MIB = 1_024;
const TIMEOUT_SECONDS = 60;

/** Sends every event, verbatim, to the archive. */
export class Archiver extends Construct {
  readonly consumer: StreamConsumer;

  constructor(scope: Construct, id: string, props: ArchiverProps) {
    super(scope, id);
    const { archive, eventStream, memoryMiB = MEMORY_MIB } = props;
    this.consumer = new StreamConsumer(this, 'EventArchiver', {
      ...props,
      stream: eventStream.stream,
      failureBucket: archive.bucket,
      bundle: 'event-archiver',
      description: 'Sends every event, verbatim, to Firehose.',
      memoryMiB,
      timeoutSeconds: TIMEOUT_SECONDS,
      environment: { TWINSTREAM_DELIVERY_STREAM: archive.deliveryStream.ref },
      permissions: [
        {
          sid: 'DeliverToArchive',
          actions: ['firehose:PutRecordBatch'],
          resources: [archive.deliveryStream.attrArn],
        },
      ],
    });
  }
}
