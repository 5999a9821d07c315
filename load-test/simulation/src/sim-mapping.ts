import { hashKey } from '@twinstream/stream-model';
import { deliverOnce, type Mapping, type MappingOptions } from './mapping.ts';
import type { SimRecord, SimShard } from './sim-stream.ts';

const POLL_MS = 40;
const OWNER = 'mapping';

/** What a mapping may do at worst: any batch boundary, any redelivery, retries of any size, parents before children. */
export class SimMapping implements Mapping {
  readonly givenUp: { readonly shard: SimShard; readonly record: SimRecord }[] = [];
  redeliveryCount = 0;
  readonly #options: MappingOptions;
  readonly #started = new Set<SimShard>();
  readonly #finishedLanes = new Map<SimShard, number>();
  #unfinishedRecords = 0;
  #stopped = false;

  constructor(options: MappingOptions) {
    this.#options = options;
  }

  /** Everything that the stream holds now was delivered and acknowledged, or given up. */
  isCaughtUp(): boolean {
    this.#startReadyShards();
    const acknowledged = this.#unfinishedRecords;
    const total = this.#options.stream.shards.reduce((sum, { records }) => sum + records.length, 0);
    return acknowledged === total;
  }

  stop(): void {
    this.#stopped = true;
  }

  /** Starts the shards whose parents are finished. */
  #startReadyShards(): void {
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
      const delivered = await deliverOnce(this.#options, shard, batch);
      // The answer itself may be lost: then everything comes again.
      const finishedCount = isHostile() && random.chance(0.03) ? undefined : delivered;
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
}
