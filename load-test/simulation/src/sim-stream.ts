import {
  contains,
  evenRanges,
  type HashKeyRange,
  hashKey,
  type SequenceNumber,
  type Shard,
  type ShardId,
  sequenceNumber,
  shardId,
} from '@twinstream/stream-model';
import type { Random } from '@twinstream/test-kit';

export interface SimRecord {
  readonly sequenceNumber: SequenceNumber;
  readonly arrivalTime: number;
  readonly partitionKey: string;
  readonly data: Uint8Array;
}

export interface SimShard {
  readonly shardId: ShardId;
  readonly hashKeyRange: HashKeyRange;
  readonly parents: readonly SimShard[];
  readonly records: SimRecord[];
  isOpen: boolean;
}

/** First number of every shard: shards share numbers, and their texts soon differ in length. */
const FIRST_SEQUENCE_NUMBER = 95n;
/** How far an arrival may lie before the one before it; milliseconds. */
const ARRIVAL_BACKWARD_MS = 30;

/** A stream in memory whose arrivals repeat and run backward, and whose sequence numbers mean nothing across shards. */
export class SimStream {
  readonly shards: SimShard[] = [];
  readonly #random: Random;
  readonly #now: () => number;

  constructor(shardCount: number, random: Random, now: () => number) {
    this.#random = random;
    this.#now = now;
    for (const range of evenRanges(shardCount)) this.#addShard(range, []);
  }

  get openShards(): SimShard[] {
    return this.shards.filter(({ isOpen }) => isOpen);
  }

  #addShard(hashKeyRange: HashKeyRange, parents: readonly SimShard[]): void {
    const id = shardId(`shardId-${String(this.shards.length).padStart(12, '0')}`);
    this.shards.push({ shardId: id, hashKeyRange, parents, records: [], isOpen: true });
  }

  put(
    partitionKey: string,
    data: Uint8Array,
    explicitHashKey?: string,
  ): { shard: SimShard; record: SimRecord } {
    const key = explicitHashKey === undefined ? hashKey(partitionKey) : BigInt(explicitHashKey);
    const shard = this.openShards.find(({ hashKeyRange }) => contains(hashKeyRange, key));
    if (shard === undefined) throw new RangeError('no open shard holds the key');
    const last = shard.records.at(-1)?.sequenceNumber;
    const next =
      last === undefined ? FIRST_SEQUENCE_NUMBER : BigInt(last) + 1n + BigInt(this.#random.integer(3));
    const backward = this.#random.chance(0.2) ? this.#random.integer(ARRIVAL_BACKWARD_MS) : 0;
    const record = {
      sequenceNumber: sequenceNumber(String(next)),
      arrivalTime: Math.floor(this.#now()) - backward,
      partitionKey,
      data,
    };
    shard.records.push(record);
    return { shard, record };
  }

  /** Splits an open shard in the middle, or merges two neighbours, as the seed has it. */
  reshard(): void {
    const open = this.openShards.sort((a, b) => (a.hashKeyRange.start < b.hashKeyRange.start ? -1 : 1));
    const index = this.#random.integer(open.length);
    const first = open[index] as SimShard;
    const neighbour = open[index + 1];
    first.isOpen = false;
    const { start, end } = first.hashKeyRange;
    if (neighbour !== undefined && this.#random.chance(0.5)) {
      neighbour.isOpen = false;
      this.#addShard({ start, end: neighbour.hashKeyRange.end }, [first, neighbour]);
      return;
    }
    const middle = start + (end - start) / 2n;
    this.#addShard({ start, end: middle }, [first]);
    this.#addShard({ start: middle + 1n, end }, [first]);
  }

  /** As ListShards would answer. */
  listShards(): Shard[] {
    return this.shards.map(({ shardId: id, hashKeyRange, isOpen, parents: [parent, adjacent] }) => ({
      shardId: id,
      hashKeyRange,
      isOpen,
      ...(parent === undefined ? {} : { parentShardId: parent.shardId }),
      ...(adjacent === undefined ? {} : { adjacentParentShardId: adjacent.shardId }),
    }));
  }
}
