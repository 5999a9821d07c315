import { createRequire } from 'node:module';
import { createStreamProducer, type StreamProducerOptions } from '@twinstream/stream-producer';
import { createBatching } from './batching.ts';
import type { OpenSubject, OutgoingEvent, Subject } from './subject.ts';

/** Size at which both aggregators close an aggregate: the producer's default. */
const AGGREGATE_BYTES = 51_200;

/** Ours. */
export function twinstream(name: string, options: Omit<StreamProducerOptions, 'transport'>): Subject {
  return {
    name,
    async open(transport) {
      const producer = await createStreamProducer({ ...options, transport });
      return {
        put: (event) => producer.put(event),
        async close() {
          const { failed } = await producer.close();
          if (failed.length > 0)
            throw new Error(`${failed.length} events failed: ${failed[0]?.reason.message}`);
        },
        get acknowledgedCount() {
          return producer.metrics.snapshot().userRecordsAcknowledged;
        },
      };
    },
  };
}

/** PutRecords with full batches. */
export const putRecordsBatching: Subject = {
  name: 'PutRecords batching',
  async open(transport): Promise<OpenSubject> {
    const batching = createBatching(transport);
    return {
      put(event) {
        batching.push({ record: event, eventCount: 1 });
        return batching.room();
      },
      close: batching.drain,
      get acknowledgedCount() {
        return batching.acknowledgedCount;
      },
    };
  },
};

/** The part of aws-kinesis-agg that is used; its own types need packages that nothing else here does. */
interface Aggregator {
  readonly totalBytes: number;
  addUserRecord(record: OutgoingEvent): void;
  build(): { readonly partitionKey: string; readonly data: Buffer };
  length(): number;
}

/** The published JavaScript aggregator, with the same batches. */
export const awsKinesisAgg: Subject = {
  name: 'aws-kinesis-agg',
  async open(transport): Promise<OpenSubject> {
    const peer: { RecordAggregator: new () => Aggregator } = createRequire(import.meta.url)(
      'aws-kinesis-agg',
    );
    const batching = createBatching(transport);
    const aggregator = new peer.RecordAggregator();
    const build = (): void => {
      const eventCount = aggregator.length();
      if (eventCount > 0) batching.push({ record: aggregator.build(), eventCount });
    };
    return {
      put(event) {
        aggregator.addUserRecord(event);
        if (aggregator.totalBytes < AGGREGATE_BYTES) return undefined;
        build();
        return batching.room();
      },
      async close() {
        build();
        await batching.drain();
      },
      get acknowledgedCount() {
        return batching.acknowledgedCount;
      },
    };
  },
};
