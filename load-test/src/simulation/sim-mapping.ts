import { compareSequenceNumbers, hashKey, sequenceNumber } from '@twinstream/stream-model';
import { lambdaBatch } from '@twinstream/stream-model/testing';
import type { Containers } from './containers.ts';
import type { Random } from './random.ts';
import type { Scheduler } from './scheduler.ts';
import type { SimRecord, SimShard, SimStream } from './sim-stream.ts';

export interface SimMappingOptions {
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
  /** The function threw: it must not. */
  readonly onFault: (error: unknown) => void;
}

const POLL_MS = 40;
const OWNER = 'mapping';

/** What a mapping may do at worst: any batch boundary, any redelivery, retries of any size, parents before children. */
export class SimMapping {
  readonly givenUp: { readonly shard: SimShard; readonly record: SimRecord }[] = [];
  redeliveryCount = 0;
  readonly #options: SimMappingOptions;
  readonly #started = new Set<SimShard>();
  readonly #finishedLanes = new Map<SimShard, number>();
  #unfinishedRecords = 0;
  #stopped = false;

  constructor(options: SimMappingOptions) {
    this.#options = options;
  }

  /** Everything that the stream holds now was delivered and acknowledged, or given up. */
  isCaughtUp(): boolean {
    this.startReadyShards();
    const acknowledged = this.#unfinishedRecords;
    const total = this.#options.stream.shards.reduce((sum, { records }) => sum + records.length, 0);
    return acknowledged === total;
  }

  stop(): void {
    this.#stopped = true;
  }

  /** Starts the shards whose parents are finished. */
  startReadyShards(): void {
    for (const shard of this.#options.stream.shards) {
      if (this.#started.has(shard) || !shard.parents.every((parent) => this.#isFinished(parent))) continue;
      this.#started.add(shard);
      for (let lane = 0; lane < this.#options.parallelizationFactor; lane += 1) {
        this.#runLane(shard, lane).catch(this.#options.onFault);
      }
    }
  }

  #isFinished(shard: SimShard): boolean {
    return this.#finishedLanes.get(shard) === this.#options.parallelizationFactor;
  }

  #laneRecords(shard: SimShard, lane: number): readonly SimRecord[] {
    const factor = this.#options.parallelizationFactor;
    if (factor === 1) return shard.records;
    return shard.records.filter(
      ({ partitionKey }) => hashKey(partitionKey) % BigInt(factor) === BigInt(lane),
    );
  }

  async #runLane(shard: SimShard, lane: number): Promise<void> {
    const { scheduler, random, batchRecordsMax, isHostile, triesMax } = this.#options;
    const clock = scheduler.clockOf(OWNER);
    let checkpoint = 0;
    let tries = 0;
    let sizeMax = batchRecordsMax;
    while (!this.#stopped) {
      const records = this.#laneRecords(shard, lane);
      if (checkpoint === records.length) {
        if (!shard.isOpen) break;
        await clock.sleep(POLL_MS);
        continue;
      }
      const back = isHostile() && random.chance(0.1) ? random.integer(Math.min(checkpoint, 6) + 1) : 0;
      if (back > 0) this.redeliveryCount += 1;
      const start = checkpoint - back;
      const batch = records.slice(start, start + 1 + random.integer(sizeMax));
      await scheduler.step(OWNER);
      const finishedCount = await this.#deliver(shard, batch);
      if (finishedCount === undefined) {
        tries += 1;
        sizeMax = Math.max(1, Math.ceil(sizeMax / 2));
        if (tries >= triesMax) {
          this.#giveUp(shard, records.slice(checkpoint, start + batch.length));
          checkpoint = Math.max(checkpoint, start + batch.length);
          tries = 0;
        }
        continue;
      }
      if (finishedCount > 0) tries = 0;
      sizeMax = batchRecordsMax;
      for (; checkpoint < start + finishedCount; checkpoint += 1) {
        this.#options.onAcknowledged(shard, records[checkpoint] as SimRecord);
        this.#unfinishedRecords += 1;
      }
    }
    this.#finishedLanes.set(shard, (this.#finishedLanes.get(shard) ?? 0) + 1);
  }

  #giveUp(shard: SimShard, records: readonly SimRecord[]): void {
    for (const record of records) {
      this.givenUp.push({ shard, record });
      this.#unfinishedRecords += 1;
    }
  }

  /** How many records of the batch are finished, from its start; undefined when the whole batch has to be tried again. */
  async #deliver(shard: SimShard, batch: readonly SimRecord[]): Promise<number | undefined> {
    const { containers, random, isHostile } = this.#options;
    const result = await containers.invoke(
      lambdaBatch({ shardId: shard.shardId, records: batch }),
      isHostile(),
    );
    if (result.kind === 'failed') {
      if (result.how === 'threw') throw new Error('the function threw', { cause: result.error });
      return undefined;
    }
    // The answer itself may be lost: then everything comes again.
    if (isHostile() && random.chance(0.03)) return undefined;
    const [failure] = result.answer.batchItemFailures;
    if (failure === undefined) return batch.length;
    const from = sequenceNumber(failure.itemIdentifier);
    const index = batch.findIndex((record) => compareSequenceNumbers(record.sequenceNumber, from) >= 0);
    return index === -1 ? undefined : index;
  }

  /** Delivers what was given up, one record at a time, until it is finished: the redrive of an operator. */
  async redrive(): Promise<void> {
    for (const { shard, record } of this.givenUp.splice(0)) {
      while ((await this.#deliver(shard, [record])) !== 1) await this.#options.scheduler.step(OWNER);
      this.#options.onAcknowledged(shard, record);
    }
  }
}
