import { createAggregateBuilder, type UserRecord } from '@twinstream/stream-model';
import type { Lane } from './lane.ts';
import { itemAt, queueSize } from './queue.ts';
import type { TransportRecord } from './transport.ts';

/** The next Kinesis record of a lane. */
export interface PackedRecord {
  readonly transport: TransportRecord;
  /** How many records of the queue it carries, from the first on. */
  readonly count: number;
  /** Data and partition key. */
  readonly bytes: number;
}

export interface AggregatorOptions {
  readonly aggregateBytesMax: number;
  readonly aggregateRecordsMax: number;
  readonly recordBytesMax: number;
  /** Bytes of the longest partition key of a lane. */
  readonly outerKeyBytes: number;
}

/** Packs the first records of a lane, at most `countMax` and at least one, into one aggregated record. */
export type Aggregator<R extends UserRecord> = (lane: Lane<R>, countMax: number) => PackedRecord;

/** The lane's queue must not be empty, and each of its records must fit into a Kinesis record by itself. */
export function createAggregator<R extends UserRecord>(options: AggregatorOptions): Aggregator<R> {
  const largest = options.recordBytesMax - options.outerKeyBytes;
  const usual = createAggregateBuilder(Math.min(options.aggregateBytesMax, largest));
  /** For a record that is larger than the usual aggregate. */
  const wide = createAggregateBuilder(largest);

  return (lane, countMax) => {
    const limit = Math.min(countMax, options.aggregateRecordsMax, queueSize(lane.queue));
    let count = 0;
    let builder = usual;
    while (count < limit) {
      const pending = itemAt(lane.queue, count);
      if (pending === undefined) break;
      if (!builder.add(pending.record)) {
        if (count > 0) break;
        builder = wide;
        if (!wide.add(pending.record))
          throw new Error('a record was accepted that no Kinesis record carries');
        count = 1;
        break;
      }
      count += 1;
    }
    const data = builder.build();
    const transport = {
      partitionKey: lane.partitionKey,
      explicitHashKey: lane.home.explicitHashKey,
      data,
    };
    return { transport, count, bytes: data.length + Buffer.byteLength(lane.partitionKey) };
  };
}
