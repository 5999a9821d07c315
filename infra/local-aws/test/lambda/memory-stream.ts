import type { Clock } from '@twinstream/runtime';
import { compareSequenceNumbers, type ShardId, sequenceNumber, shardId } from '@twinstream/stream-model';
import type { ReadOutcome, ShardReader, ShardStart, SourceRecord } from '../../src/lambda/shard-reader.ts';

interface MemoryShard {
  readonly shardId: ShardId;
  readonly parents: readonly ShardId[];
  readonly records: SourceRecord[];
  closed: boolean;
}

/** A stream in memory behind the port that mappings read, with Kinesis' semantics and none of its limits. */
export interface MemoryStream extends ShardReader {
  /** Adds a shard, a child of `parents`, which are closed. */
  addShard(name: string, parents?: readonly string[]): ShardId;
  closeShard(name: string): void;
  /** Puts one record; the sequence number rises over the whole stream. Returns it. */
  put(shard: string, partitionKey: string, text: string): string;
  /** The next reads answer this instead. */
  failReads(...outcomes: (ReadOutcome['kind'] | 'error')[]): void;
  /** Forgets a shard and its records, as after the retention. */
  drop(name: string): void;
  readonly readCounts: ReadonlyMap<ShardId, number>;
  /** Virtual times of the reads of a shard. */
  readonly readTimes: readonly { readonly shardId: ShardId; readonly atMs: number }[];
}

export function memoryStream(clock: Clock, recordsPerRead = 10_000): MemoryStream {
  const shards = new Map<string, MemoryShard>();
  const readCounts = new Map<ShardId, number>();
  const readTimes: { shardId: ShardId; atMs: number }[] = [];
  const planned: (ReadOutcome['kind'] | 'error')[] = [];
  let lastNumber = 49_600_000_000_000_000_000_000n;

  const shardOf = (name: string) => {
    const shard = shards.get(name);
    if (!shard) throw new Error(`no shard ${name}`);
    return shard;
  };
  const indexOf = (shard: MemoryShard, start: ShardStart): number => {
    if (start.type === 'TRIM_HORIZON') return 0;
    const after =
      start.type === 'AT_TIMESTAMP'
        ? (record: SourceRecord) => record.approximateArrivalTimestamp * 1_000 >= start.timestampMs
        : (record: SourceRecord) => compareSequenceNumbers(record.sequenceNumber, start.sequenceNumber) > 0;
    const index = shard.records.findIndex(after);
    return index === -1 ? shard.records.length : index;
  };
  return {
    readCounts,
    readTimes,
    addShard: (name, parents = []) => {
      for (const parent of parents) shardOf(parent).closed = true;
      const id = shardId(name);
      shards.set(name, { shardId: id, parents: parents.map(shardId), records: [], closed: false });
      return id;
    },
    closeShard: (name) => {
      shardOf(name).closed = true;
    },
    drop: (name) => void shards.delete(name),
    put: (name, partitionKey, text) => {
      lastNumber += 7n;
      const number = sequenceNumber(String(lastNumber));
      shardOf(name).records.push({
        sequenceNumber: number,
        partitionKey,
        data: Buffer.from(text).toString('base64'),
        approximateArrivalTimestamp: clock.now() / 1_000,
      });
      return number;
    },
    failReads: (...outcomes) => void planned.push(...outcomes),
    shards: () =>
      Promise.resolve([...shards.values()].map(({ shardId: id, parents }) => ({ shardId: id, parents }))),
    iterator: (id, start) => {
      const shard = shards.get(id);
      return Promise.resolve(shard && `${id} ${indexOf(shard, start)}`);
    },
    read: (iterator) => {
      const [name = '', position = '0'] = iterator.split(' ');
      const shard = shardOf(name);
      readTimes.push({ shardId: shard.shardId, atMs: clock.now() });
      const failure = planned.shift();
      if (failure === 'error') return Promise.reject(new Error('stream out of reach'));
      if (failure === 'throttled' || failure === 'iterator-expired')
        return Promise.resolve({ kind: failure });
      readCounts.set(shard.shardId, (readCounts.get(shard.shardId) ?? 0) + 1);
      const from = Number(position);
      const records = shard.records.slice(from, from + recordsPerRead);
      const next = from + records.length;
      const atEnd = next === shard.records.length;
      return Promise.resolve({
        kind: 'records',
        records,
        nextIterator: atEnd && shard.closed ? undefined : `${name} ${next}`,
        millisBehindLatest: atEnd ? 0 : 1_000,
      });
    },
  };
}
