import type { BatchAnswer, KinesisLambdaEvent } from '@twinstream/stream-model';
import { lambdaBatch } from '@twinstream/stream-model/testing';
import { finishedCount } from '../mapping.ts';
import type { SimRecord, SimShard } from '../sim-stream.ts';
import type { Process, Request } from './process.ts';
import type { Delivery } from './small-model.ts';

/** The code under test in one container. */
export type Invoke = (event: KinesisLambdaEvent) => Promise<BatchAnswer>;

export interface WorkerOptions {
  readonly name: string;
  readonly shards: readonly SimShard[];
  readonly deliveries: readonly Delivery[];
  /** Starts a container whose memory is empty. */
  readonly start: (owner: string, place: unknown) => { readonly process: Process; readonly invoke: Invoke };
  /** This record counts as finished from now on. */
  readonly onFinished: (shard: SimShard, record: SimRecord) => void;
}

/** One poller of the mapping: hands its deliveries over in order, each until it is finished, to one container after the other. */
export class Worker {
  readonly name: string;
  isDone = false;
  readonly #options: WorkerOptions;
  #process: Process;
  #invoke: Invoke;
  #containers = 0;
  #delivery = 0;
  #finishedRecords = 0;
  #reportCrash: () => void = () => undefined;

  constructor(options: WorkerOptions) {
    this.name = options.name;
    this.#options = options;
    const { process, invoke } = this.#start();
    this.#process = process;
    this.#invoke = invoke;
  }

  get process(): Process {
    return this.#process;
  }

  /** All that this worker's future depends on, but for the stores. A worker that is done has none. */
  get memory(): unknown {
    if (this.isDone) return 'done';
    const requests = this.process.requests.map(({ number, reply, isRepeated }) => [
      number,
      reply,
      isRepeated,
    ]);
    return [this.#place, this.process.memory(), requests];
  }

  async run(): Promise<void> {
    for (const { shard: index, from, to } of this.#options.deliveries) {
      const shard = this.#options.shards[index - 1];
      const records = shard?.records.slice(from - 1, to);
      if (shard === undefined || records?.length !== to - from + 1) {
        throw new RangeError(`${this.name} is given what shard ${index} does not hold`);
      }
      while (this.#finishedRecords < records.length) {
        const batch = records.slice(this.#finishedRecords);
        const count = await this.#deliver(shard, batch);
        for (const record of batch.slice(0, count)) this.#options.onFinished(shard, record);
        this.#finishedRecords += count;
      }
      this.#delivery += 1;
      this.#finishedRecords = 0;
    }
    this.isDone = true;
  }

  /** The container dies; what was not finished is delivered to a fresh one. */
  crash(unsent: Request): void {
    this.#process.kill(unsent);
    const { process, invoke } = this.#start();
    this.#process = process;
    this.#invoke = invoke;
    this.#reportCrash();
  }

  get #place(): unknown {
    return [this.#delivery, this.#finishedRecords];
  }

  #start() {
    this.#containers += 1;
    return this.#options.start(`${this.name} container ${this.#containers}`, this.#place);
  }

  /** How many records are finished, from the start. */
  async #deliver(shard: SimShard, batch: readonly SimRecord[]): Promise<number> {
    const { promise: crashed, resolve } = Promise.withResolvers<undefined>();
    this.#reportCrash = () => resolve(undefined);
    const answer = await Promise.race([
      this.#invoke(lambdaBatch({ shardId: shard.shardId, records: batch })),
      crashed,
    ]);
    return answer === undefined ? 0 : (finishedCount(answer, batch) ?? 0);
  }
}
