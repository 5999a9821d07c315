import {
  DescribeStreamSummaryCommand,
  type KinesisClient,
  ListShardsCommand,
  MergeShardsCommand,
  PutRecordCommand,
  type Shard,
  SplitShardCommand,
  UpdateShardCountCommand,
} from '@aws-sdk/client-kinesis';
import type { Clock } from '@twinstream/runtime';

const ACTIVE_WAIT_MS = 100;

/** The steps by which the shards of a stream change during a load, in their order. */
export const RESHARD_STEPS = ['split', 'double', 'merge'] as const;
export type ReshardStep = (typeof RESHARD_STEPS)[number];

/** The stream of the lab, as its producer and operator use it. */
export class LabStream {
  readonly name: string;
  readonly #client: KinesisClient;
  readonly #clock: Clock;

  constructor(name: string, client: KinesisClient, clock: Clock) {
    this.name = name;
    this.#client = client;
    this.#clock = clock;
  }

  async put(partitionKey: string, data: string): Promise<void> {
    const record = { StreamName: this.name, PartitionKey: partitionKey, Data: Buffer.from(data) };
    await this.#client.send(new PutRecordCommand(record));
  }

  /** Returns when the stream is ACTIVE again. */
  async reshard(step: ReshardStep): Promise<void> {
    const StreamName = this.name;
    const open = (await this.#shards()).filter(
      ({ SequenceNumberRange }) => SequenceNumberRange?.EndingSequenceNumber === undefined,
    );
    const [first, second] = open.toSorted((a, b) => (startOf(a) < startOf(b) ? -1 : 1));
    if (first === undefined) throw new TypeError('the stream has no open shard');
    if (step === 'double') {
      const TargetShardCount = 2 * open.length;
      const ScalingType = 'UNIFORM_SCALING';
      await this.#client.send(new UpdateShardCountCommand({ StreamName, TargetShardCount, ScalingType }));
    } else if (step === 'split') {
      const NewStartingHashKey = String((startOf(first) + endOf(first)) / 2n + 1n);
      const ShardToSplit = first.ShardId;
      await this.#client.send(new SplitShardCommand({ StreamName, ShardToSplit, NewStartingHashKey }));
    } else if (second !== undefined) {
      const [ShardToMerge, AdjacentShardToMerge] = [first.ShardId, second.ShardId];
      await this.#client.send(new MergeShardsCommand({ StreamName, ShardToMerge, AdjacentShardToMerge }));
    }
    while ((await this.#status()) !== 'ACTIVE') await this.#clock.sleep(ACTIVE_WAIT_MS);
  }

  async #shards(): Promise<readonly Shard[]> {
    const { Shards = [] } = await this.#client.send(new ListShardsCommand({ StreamName: this.name }));
    return Shards;
  }

  async #status(): Promise<string | undefined> {
    const command = new DescribeStreamSummaryCommand({ StreamName: this.name });
    const { StreamDescriptionSummary } = await this.#client.send(command);
    return StreamDescriptionSummary?.StreamStatus;
  }
}

function startOf({ HashKeyRange }: Shard): bigint {
  return BigInt(HashKeyRange?.StartingHashKey ?? 0);
}

function endOf({ HashKeyRange }: Shard): bigint {
  return BigInt(HashKeyRange?.EndingHashKey ?? 0);
}
