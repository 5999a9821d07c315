import {
  type CheckpointStore,
  consumeStream,
  type FunctionInvoker,
  type MappingContext,
  memoryCheckpointStore,
  readBudget,
  type ShardReader,
} from '@twinstream/local-aws';
import { LOCAL_MAPPING_SETTINGS } from '@twinstream/pipeline-settings';
import { createLogger } from '@twinstream/runtime';
import { compareSequenceNumbers, type SequenceNumber, type ShardId } from '@twinstream/stream-model';
import type { Mapping, MappingOptions } from './mapping.ts';
import type { SimRecord, SimShard } from './sim-stream.ts';

const OWNER = 'event-source-mapping';
const RECORDS_PER_READ_MAX = 5;
const SILENT = createLogger('simulation', 'silent');

/** The event source mapping that `npm start` runs, on a simulated stream, clock and functions. */
export function engineMapping(options: MappingOptions): Mapping {
  const { stream, scheduler, random, onFault } = options;
  const givenUp: Mapping['givenUp'] = [];
  const stop = new AbortController();
  const finishedCounts = new Map<SimShard, number>();
  const shardOf = (shardId: ShardId) => {
    const shard = stream.shards.find((candidate) => candidate.shardId === shardId);
    if (shard === undefined) throw new RangeError(`no shard ${shardId}`);
    return shard;
  };

  /** Tells of every record that a checkpoint newly covers, but for what was given up. */
  const acknowledge = (shard: SimShard, through: SequenceNumber | undefined) => {
    const abandoned = new Set(givenUp.map(({ record }) => record));
    let count = finishedCounts.get(shard) ?? 0;
    for (; count < shard.records.length; count += 1) {
      const record = shard.records[count] as SimRecord;
      if (through !== undefined && compareSequenceNumbers(record.sequenceNumber, through) > 0) break;
      if (!abandoned.has(record)) options.onAcknowledged(shard, record);
    }
    finishedCounts.set(shard, count);
  };

  const context: MappingContext = {
    mappingId: 'mapping',
    functionName: 'function',
    streamName: 'device-events',
    origin: {
      streamArn: 'arn:aws:kinesis:us-east-1:000000000000:stream/device-events',
      region: 'us-east-1',
      roleArn: 'arn:aws:iam::000000000000:role/function',
    },
    settings: {
      ...LOCAL_MAPPING_SETTINGS,
      startingPosition: { type: 'TRIM_HORIZON' },
      batchSize: options.batchRecordsMax,
      parallelizationFactor: options.parallelizationFactor,
      retryAttemptsMax: Number.isFinite(options.triesMax) ? options.triesMax : -1,
    },
    reader: simulatedReader(options),
    invoker: simulatedInvoker(options),
    checkpoints: watchedCheckpoints((shardId, through) => acknowledge(shardOf(shardId), through)),
    failureDestination: {
      keep: async ({ shardId, records }) => {
        const shard = shardOf(shardId);
        for (const { record } of records) {
          const found = shard.records.find(({ sequenceNumber }) => sequenceNumber === record.sequenceNumber);
          if (found !== undefined) givenUp.push({ shard, record: found });
        }
      },
    },
    readBudget: readBudget(),
    clock: scheduler.clockOf(OWNER),
    random: () => random.next(),
    logger: SILENT,
    observe: () => undefined,
  };
  const consuming = consumeStream(context, { stop: stop.signal, cut: new AbortController().signal });
  consuming.catch(onFault);
  return {
    givenUp,
    redeliveryCount: 0,
    isCaughtUp: () =>
      stream.shards.every((shard) => (finishedCounts.get(shard) ?? 0) === shard.records.length),
    stop: () => stop.abort(),
  };
}

function simulatedReader({ stream, scheduler, random }: MappingOptions): ShardReader {
  return {
    shards: async () => {
      await scheduler.step(OWNER);
      return stream.shards.map(({ shardId, parents }) => ({
        shardId,
        parents: parents.map((parent) => parent.shardId),
      }));
    },
    iterator: async (shardId, start) => {
      await scheduler.step(OWNER);
      const shard = stream.shards.find((candidate) => candidate.shardId === shardId);
      if (start.type !== 'AFTER_SEQUENCE_NUMBER') return `${shardId} 0`;
      const index = shard?.records.findIndex(({ sequenceNumber }) => sequenceNumber === start.sequenceNumber);
      return `${shardId} ${(index ?? -1) + 1}`;
    },
    read: async (iterator) => {
      await scheduler.step(OWNER);
      const [shardId, index] = iterator.split(' ');
      const shard = stream.shards.find((candidate) => candidate.shardId === shardId);
      if (shard === undefined || random.chance(0.05)) return { kind: 'throttled' };
      const from = Number(index);
      const records = shard.records.slice(from, from + 1 + random.integer(RECORDS_PER_READ_MAX));
      const next = from + records.length;
      const isAtEnd = next === shard.records.length;
      return {
        kind: 'records',
        records: records.map(({ sequenceNumber, partitionKey, data, arrivalTime }) => ({
          sequenceNumber,
          partitionKey,
          data: Buffer.from(data).toString('base64'),
          approximateArrivalTimestamp: arrivalTime / 1_000,
        })),
        nextIterator: isAtEnd && !shard.isOpen ? undefined : `${shardId} ${next}`,
        millisBehindLatest: isAtEnd ? 0 : 1,
      };
    },
  };
}

function simulatedInvoker({ scheduler, containers, isHostile, onFault }: MappingOptions): FunctionInvoker {
  let requests = 0;
  return {
    invoke: async (_functionName, payload) => {
      requests += 1;
      const requestId = `request-${requests}`;
      await scheduler.step(OWNER);
      const result = await containers.invoke(JSON.parse(payload), isHostile());
      if (result.kind === 'answered') {
        return { kind: 'answered', requestId, payload: JSON.stringify(result.answer) };
      }
      if (result.how === 'threw') onFault(result.error);
      return { kind: 'function-error', requestId, payload: JSON.stringify({ errorType: result.how }) };
    },
  };
}

function watchedCheckpoints(
  onSave: (shardId: ShardId, through: SequenceNumber | undefined) => void,
): CheckpointStore {
  const store = memoryCheckpointStore();
  return {
    ...store,
    save: (shardId, checkpoint) => {
      store.save(shardId, checkpoint);
      onSave(shardId, checkpoint.kind === 'at' ? checkpoint.sequenceNumber : undefined);
    },
  };
}
