import { type BatchAnswer, compareSequenceNumbers, sequenceNumber } from '@twinstream/stream-model';
import { lambdaBatch } from '@twinstream/stream-model/testing';
import type { Random } from '@twinstream/test-kit';
import type { Containers } from './containers.ts';
import type { Scheduler } from './scheduler.ts';
import type { SimRecord, SimShard, SimStream } from './sim-stream.ts';

export interface MappingOptions {
  readonly stream: SimStream;
  readonly containers: Containers;
  readonly scheduler: Scheduler;
  readonly random: Random;
  readonly batchRecordsMax: number;
  /** Lanes per shard; records of one partition key stay in one lane. */
  readonly parallelizationFactor: number;
  /** Tries of a batch before it goes to the failure destination; Infinity never gives up. */
  readonly triesMax: number;
  /** True while the world is hostile: redeliveries, abandoned invocations. */
  readonly isHostile: () => boolean;
  /** This record counts as finished from now on. */
  readonly onAcknowledged: (shard: SimShard, record: SimRecord) => void;
  /** The function threw, or the mapping did: neither may. */
  readonly onFault: (error: unknown) => void;
}

/** Delivers a stream to a function. */
export interface Mapping {
  /** What went to the failure destination, in its order; it stays there. */
  readonly givenUp: { readonly shard: SimShard; readonly record: SimRecord }[];
  readonly redeliveryCount: number;
  /** Everything that the stream holds now was delivered and acknowledged, or given up. */
  isCaughtUp(): boolean;
  stop(): void;
}

/** Invokes the function once. How many records are finished, from the start; undefined when all have to be tried again. */
export async function deliverOnce(
  { containers, isHostile, onFault }: MappingOptions,
  shard: SimShard,
  batch: readonly SimRecord[],
): Promise<number | undefined> {
  const event = lambdaBatch({ shardId: shard.shardId, records: batch });
  const result = await containers.invoke(event, isHostile());
  if (result.kind === 'failed') {
    if (result.how === 'threw') onFault(result.error);
    return undefined;
  }
  return finishedCount(result.answer, batch);
}

/** How many records of a batch an answer calls finished, from the start; undefined when it names none of them. */
export function finishedCount(
  { batchItemFailures: [failure] }: BatchAnswer,
  batch: readonly SimRecord[],
): number | undefined {
  if (failure === undefined) return batch.length;
  const from = sequenceNumber(failure.itemIdentifier);
  const index = batch.findIndex((record) => compareSequenceNumbers(record.sequenceNumber, from) >= 0);
  return index === -1 ? undefined : index;
}

/** Delivers what was given up, one record at a time, until it is finished: the redrive of an operator. */
export async function redrive(mapping: Mapping, options: MappingOptions): Promise<void> {
  for (const { shard, record } of mapping.givenUp) {
    while ((await deliverOnce(options, shard, [record])) !== 1) await options.scheduler.step('operator');
    options.onAcknowledged(shard, record);
  }
}

/** Delivers every record of the stream once more, in batches of any size: nothing may come of it. */
export async function deliverAllAgain(options: MappingOptions): Promise<void> {
  const { stream, random, batchRecordsMax, scheduler } = options;
  for (const shard of stream.shards) {
    let from = 0;
    while (from < shard.records.length) {
      const batch = shard.records.slice(from, from + 1 + random.integer(batchRecordsMax));
      from += (await deliverOnce(options, shard, batch)) ?? 0;
      await scheduler.step('operator');
    }
  }
}
