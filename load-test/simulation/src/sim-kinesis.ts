import {
  GetRecordsCommand,
  GetShardIteratorCommand,
  type KinesisClient,
  ListShardsCommand,
  ProvisionedThroughputExceededException,
} from '@aws-sdk/client-kinesis';
import { CodedError } from '@twinstream/runtime';
import type { Random } from '@twinstream/test-kit';
import type { Network } from './network.ts';
import type { Owner } from './scheduler.ts';
import type { SimShard, SimStream } from './sim-stream.ts';

/** Records of one answer, at most: a shard takes several. */
const RECORDS_PER_READ_MAX = 12;

interface SendOptions {
  readonly abortSignal?: AbortSignal;
}

/** The simulated stream as the client of a process reads it: the three requests that a replay makes, over the network. */
export function simKinesis(
  owner: Owner,
  stream: SimStream,
  network: Network,
  random: Random,
): Pick<KinesisClient, 'send'> {
  const answerTo = (command: unknown) => {
    if (command instanceof ListShardsCommand) return listShards(stream);
    if (command instanceof GetShardIteratorCommand) return { ShardIterator: iteratorOf(stream, command) };
    if (command instanceof GetRecordsCommand) return recordsOf(stream, command, random);
    throw new TypeError('a request that no replay makes');
  };
  const send = async (command: object, { abortSignal }: SendOptions = {}) => {
    const operation = command.constructor.name.replace(/Command$/, '');
    try {
      return await network.call(owner, operation, async () => answerTo(command), abortSignal);
    } catch (error) {
      if (!(error instanceof CodedError) || error.code !== 'THROTTLED') throw error;
      throw new ProvisionedThroughputExceededException({ message: 'simulated', $metadata: {} });
    }
  };
  return { send: send as KinesisClient['send'] };
}

function shardOf(stream: SimStream, id: string | undefined): SimShard {
  const shard = stream.shards.find(({ shardId }) => shardId === id);
  if (shard === undefined) throw new RangeError(`no shard ${id}`);
  return shard;
}

function listShards(stream: SimStream) {
  return {
    Shards: stream.listShards().map(({ shardId, hashKeyRange, isOpen, ...parents }) => ({
      ShardId: shardId,
      HashKeyRange: {
        StartingHashKey: String(hashKeyRange.start),
        EndingHashKey: String(hashKeyRange.end),
      },
      SequenceNumberRange: { StartingSequenceNumber: '1', ...(isOpen ? {} : { EndingSequenceNumber: '2' }) },
      ParentShardId: parents.parentShardId,
      AdjacentParentShardId: parents.adjacentParentShardId,
    })),
  };
}

function iteratorOf(stream: SimStream, { input }: GetShardIteratorCommand): string {
  const { records } = shardOf(stream, input.ShardId);
  const { ShardIteratorType: type, StartingSequenceNumber: number, Timestamp } = input;
  if (type === 'TRIM_HORIZON') return `${input.ShardId} 0`;
  if (type === 'AT_SEQUENCE_NUMBER' || type === 'AFTER_SEQUENCE_NUMBER') {
    const index = records.findIndex(({ sequenceNumber }) => sequenceNumber === number);
    return `${input.ShardId} ${type === 'AT_SEQUENCE_NUMBER' ? index : index + 1}`;
  }
  const from = Number(Timestamp);
  const index = records.findIndex(({ arrivalTime }) => arrivalTime >= from);
  return `${input.ShardId} ${index === -1 ? records.length : index}`;
}

function recordsOf(stream: SimStream, { input }: GetRecordsCommand, random: Random) {
  const [id, index] = (input.ShardIterator ?? '').split(' ');
  const shard = shardOf(stream, id);
  const from = Number(index);
  const records = shard.records.slice(from, from + 1 + random.integer(RECORDS_PER_READ_MAX));
  const next = from + records.length;
  const isAtEnd = next === shard.records.length;
  return {
    Records: records.map(({ sequenceNumber, partitionKey, data, arrivalTime }) => ({
      SequenceNumber: sequenceNumber,
      PartitionKey: partitionKey,
      Data: data,
      ApproximateArrivalTimestamp: new Date(arrivalTime),
    })),
    NextShardIterator: isAtEnd && !shard.isOpen ? undefined : `${id} ${next}`,
    MillisBehindLatest: isAtEnd ? 0 : 1,
  };
}
