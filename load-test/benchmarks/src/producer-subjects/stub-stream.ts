import { setTimeout as sleep } from 'node:timers/promises';
import {
  evenRanges,
  hashKey,
  openShardFor,
  parseHashKey,
  type Shard,
  type ShardId,
  sequenceNumber,
  shardId,
  shardMap,
} from '@twinstream/stream-model';
import type { StreamTransport, TransportAnswer, TransportRecord } from '@twinstream/stream-producer';

export interface StubStreamOptions {
  readonly shardCount: number;
  /** What a shard takes in a second; the rest is throttled. No limits when absent. */
  readonly shardLimits?: { readonly bytesPerSecond: number; readonly recordsPerSecond: number };
}

/** Time of a request, about that of a region next door. */
const REQUEST_MS = 5;
const THROTTLED: TransportAnswer = {
  status: 'rejected',
  errorCode: 'ProvisionedThroughputExceededException',
  message: 'rate',
};

/** A stream without a network, that routes as Kinesis does and keeps nothing. */
export function createStubStream({ shardCount, shardLimits }: StubStreamOptions): StreamTransport {
  const shards = evenRanges(shardCount).map(
    (hashKeyRange, index): Shard => ({
      shardId: shardId(`shardId-${String(index).padStart(12, '0')}`),
      hashKeyRange,
      isOpen: true,
    }),
  );
  const map = shardMap(shards);
  /** The lanes of the producer name few hash keys. */
  const shardOfHashKey = new Map<string, ShardId>();
  const used = new Map<string, { records: number; bytes: number }>();
  let stored = 0;

  function shardOf({ partitionKey, explicitHashKey }: TransportRecord): ShardId {
    const known = explicitHashKey === undefined ? undefined : shardOfHashKey.get(explicitHashKey);
    if (known !== undefined) return known;
    const explicit = explicitHashKey === undefined ? undefined : parseHashKey(explicitHashKey);
    const found = openShardFor(map, explicit ?? hashKey(partitionKey)).shardId;
    if (explicitHashKey !== undefined) shardOfHashKey.set(explicitHashKey, found);
    return found;
  }

  function isOver(shard: ShardId, bytes: number): boolean {
    if (shardLimits === undefined) return false;
    const second = `${shard}@${Math.floor(Date.now() / 1_000)}`;
    const usage = used.get(second) ?? { records: 0, bytes: 0 };
    if (usage.records >= shardLimits.recordsPerSecond || usage.bytes + bytes > shardLimits.bytesPerSecond)
      return true;
    if (!used.has(second)) used.set(second, usage);
    usage.records += 1;
    usage.bytes += bytes;
    return false;
  }

  function store(record: TransportRecord): TransportAnswer {
    const shard = shardOf(record);
    if (isOver(shard, record.data.length + record.partitionKey.length)) return THROTTLED;
    stored += 1;
    return { status: 'stored', shardId: shard, sequenceNumber: sequenceNumber(String(stored)) };
  }

  return {
    async putRecords(records) {
      await sleep(REQUEST_MS);
      return records.map(store);
    },
    listShards: async () => ({ shards }),
  };
}
