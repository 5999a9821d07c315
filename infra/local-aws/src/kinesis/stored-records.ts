import { GET_RECORDS_RECORDS_MAX, type ShardId } from '@twinstream/stream-model';
import type { LogRun } from './log-slice.ts';
import { recordArrivalMs, recordCounter, recordData, recordPartitionKey } from './record-frame.ts';
import { recordOffset } from './segment.ts';
import { sequenceNumberText } from './sequence-numbering.ts';
import type { Shard } from './stream.ts';
import type { StreamStore } from './stream-store.ts';

/** A record as the server holds it. */
export interface StoredRecord {
  readonly sequenceNumber: string;
  readonly partitionKey: string;
  readonly data: Buffer;
  readonly arrivalMs: number;
}

export interface ShardRecords {
  readonly shardId: ShardId;
  readonly records: readonly StoredRecord[];
}

/** Everything a stream holds, read past all limits. Throws RangeError when there is no such stream. */
export function storedRecords(store: StreamStore, streamName: string): readonly ShardRecords[] {
  const stream = store.find(streamName);
  if (!stream) throw new RangeError(`there is no stream ${streamName}`);
  return stream.shards.map((shard) => ({ shardId: shard.id, records: [...recordsOf(shard)] }));
}

function* recordsOf(shard: Shard): Generator<StoredRecord> {
  const limits = { recordsMax: GET_RECORDS_RECORDS_MAX, bytesMax: Number.POSITIVE_INFINITY, horizonMs: 0 };
  for (let next = 0; ; ) {
    const slice = shard.log.read(next, limits);
    for (const run of slice.runs) yield* recordsOfRun(shard, run);
    if (slice.atEnd) return;
    next = slice.next;
  }
}

function* recordsOfRun({ numbering }: Shard, { content, from, to }: LogRun): Generator<StoredRecord> {
  const { bytes } = content;
  for (let index = from; index < to; index += 1) {
    const at = recordOffset(content, index);
    const arrivalMs = recordArrivalMs(bytes, at);
    yield {
      sequenceNumber: sequenceNumberText(numbering, recordCounter(bytes, at), arrivalMs),
      partitionKey: recordPartitionKey(bytes, at),
      data: recordData(bytes, at),
      arrivalMs,
    };
  }
}
