import { createHash } from 'node:crypto';
import { encodeEvent, FOLD_VERSION } from '@twinstream/device-model';
import { memoryEventStore } from '@twinstream/event-store';
import {
  memoryLatestStateTable,
  memoryShardProgressTable,
  type ShardProgress,
} from '@twinstream/latest-state';
import { memoryQuarantine } from '@twinstream/quarantine';
import { createLogger } from '@twinstream/runtime';
import { createProjector, PROJECTOR_OPTIONS, type ProjectorOptions } from '@twinstream/state-projector';
import { compareSequenceNumbers, sequenceNumber, shardId } from '@twinstream/stream-model';
import { reachedInBatches } from '../batched-stores.ts';
import { checkDurable } from '../durability.ts';
import { Oracle, Violation } from '../oracle.ts';
import type { SimRecord, SimShard } from '../sim-stream.ts';
import { reachedBy, type Stores, type WatchedStores, watched } from '../watched-stores.ts';
import { checkEnd } from './check-end.ts';
import { exactText } from './exact-text.ts';
import { PartialOrderReduction } from './partial-order-reduction.ts';
import { type LateRequest, Process } from './process.ts';
import type { SmallModel } from './small-model.ts';
import { possibleSteps, type Step } from './steps.ts';
import { Worker } from './worker.ts';

const TIME_MS = Date.parse('2026-01-01T00:00:00Z');
const TIMEOUT_MS = 60_000;
const STREAM = 'device-events';
const SILENT = createLogger('simulation', 'silent');

export interface ModelOptions {
  /** Whether every order of independent steps is offered: without partial-order reduction. */
  readonly everyOrder: boolean;
}

/**
 * A small model under way: nothing in it happens but by a step that is taken, and the same steps from the start lead to the
 * same model again. An oracle checks every write as it takes effect.
 */
export class ClosedModel {
  readonly #shards: readonly SimShard[];
  readonly #oracle: Oracle;
  readonly #stores: WatchedStores;
  readonly #workers: readonly Worker[];
  readonly #late: LateRequest[] = [];
  readonly #reduction: PartialOrderReduction | undefined;
  readonly #writesInBatches: boolean;
  #faultsLeft: number;
  #violation: unknown;

  private constructor(model: SmallModel, { everyOrder }: ModelOptions) {
    this.#reduction = everyOrder ? undefined : new PartialOrderReduction();
    this.#faultsLeft = model.faultsMax;
    this.#writesInBatches = model.writesInBatches ?? false;
    this.#shards = model.shards.map(shardOf);
    const options = projectorOptions(model);
    this.#oracle = new Oracle(options.pageLimits.receipts);
    this.#stores = watched(
      {
        eventStore: memoryEventStore(),
        latestState: memoryLatestStateTable(),
        shardProgress: memoryShardProgressTable(),
        quarantine: memoryQuarantine(),
      },
      {
        oracle: this.#oracle,
        onProgress: (progress) => this.#checkProgress(progress),
        onViolation: (error) => this.#onViolation(error),
      },
    );
    this.#workers = model.workers.map(
      (deliveries, index) =>
        new Worker({
          name: `worker ${index + 1}`,
          shards: this.#shards,
          deliveries,
          start: (owner, place) => this.#startContainer(owner, place, options),
          onFinished: (shard, record) => this.#checkDurable(shard, record),
        }),
    );
  }

  /** The model before the first step. */
  static async open(model: SmallModel, options: ModelOptions): Promise<ClosedModel> {
    const opened = new ClosedModel(model, options);
    for (const worker of opened.#workers) {
      worker.run().catch((error: unknown) => opened.#onViolation(error));
    }
    await codeWaits();
    return opened;
  }

  /** What can happen next; nothing when the model has come to its end. Throws what was violated. */
  possibleSteps(): Step[] {
    if (this.#violation !== undefined) throw this.#violation;
    const steps = possibleSteps({
      workers: this.#workers,
      late: this.#late,
      isHostile: this.#faultsLeft > 0,
      onError: (error) => this.#onViolation(error),
    });
    return this.#reduction?.reduced(steps, this.#processes) ?? steps;
  }

  /** Takes a step and lets all code run until it waits again. */
  async take(step: Step): Promise<void> {
    this.#reduction?.taken(step, this.#processes);
    if (step.fault !== undefined) this.#faultsLeft -= 1;
    step.take();
    await codeWaits();
  }

  /**
   * A digest of all that the future depends on: the stores, what each worker remembers and has under way, what is still to
   * land, and the faults left. Situations with equal digests have equal futures. SHA-256, so that no two others are taken for equal.
   */
  async digest(): Promise<string> {
    const parts = await this.#stored();
    for (const { memory } of this.#workers) parts.push(memory);
    for (const { origin } of this.#late) parts.push(origin);
    parts.push(this.#faultsLeft);
    if (this.#faultsLeft > 0)
      parts.push(this.#processes.map((process) => this.#reduction?.isAsleep(process)));
    return digestOf(parts);
  }

  /** A digest of all that is stored. */
  async storedDigest(): Promise<string> {
    return digestOf(await this.#stored());
  }

  /** Everything in the stores, as they return it. The knowledge of the oracle follows from it. */
  async #stored(): Promise<unknown[]> {
    const { eventStore, latestState, shardProgress, quarantined } = this.#stores;
    const parts: unknown[] = [await shardProgress.read(STREAM), [...quarantined]];
    for (const deviceId of this.#oracle.pages.keys()) {
      for await (const page of eventStore.pages(deviceId)) parts.push(page);
      parts.push(await latestState.read(deviceId));
      for (let pageAtMost = Number.MAX_SAFE_INTEGER; ; ) {
        const snapshot = await eventStore.latestSnapshot(deviceId, { foldVersion: FOLD_VERSION, pageAtMost });
        if (snapshot === undefined) break;
        parts.push(snapshot);
        pageAtMost = snapshot.state.page - 1;
      }
    }
    return parts;
  }

  /** Checks that nothing is missing, nothing is there twice, and the state is the fold of all pages. */
  async checkEnd(): Promise<void> {
    if (!this.#workers.every(({ isDone }) => isDone)) {
      throw new Error('a worker is not done, and nothing is left to happen');
    }
    await checkEnd(this.#shards, this.#oracle, this.#stores);
  }

  get #processes(): readonly Process[] {
    return this.#workers.map(({ process }) => process);
  }

  #startContainer(owner: string, place: unknown, options: ProjectorOptions) {
    const process = new Process(owner, place, TIME_MS, (late) => this.#late.push(late));
    const project = createProjector(
      {
        ...this.#reach(owner, this.#stores, process),
        clock: process.clock,
        logger: SILENT,
        report: () => undefined,
      },
      options,
    );
    const invocation = { requestId: owner, remainingMs: () => TIMEOUT_MS };
    return { process, invoke: (event: Parameters<typeof project>[0]) => project(event, invocation) };
  }

  #reach(owner: string, stores: WatchedStores, process: Process): Stores {
    if (!this.#writesInBatches) return reachedBy(owner, stores, process);
    return reachedInBatches(owner, stores, {
      network: process,
      onViolation: (error) => this.#onViolation(error),
      timing: { clock: process.clock, random: () => 0, schedule: dueNow },
    });
  }

  #onViolation(error: unknown): void {
    this.#violation ??= error;
  }

  #checkDurable(shard: SimShard, record: SimRecord): void {
    checkDurable({ oracle: this.#oracle, quarantined: this.#stores.quarantined }, shard, record);
  }

  #checkProgress(progress: ShardProgress): void {
    const shard = this.#shards.find((candidate) => candidate.shardId === progress.shardId);
    if (shard === undefined) throw new Violation('shard progress names a shard', progress.shardId);
    for (const record of shard.records) {
      if (compareSequenceNumbers(record.sequenceNumber, progress.finishedThrough) > 0) return;
      this.#checkDurable(shard, record);
    }
  }
}

/** What a process sends, it sends when it has nothing else to do. */
function dueNow(callback: () => void): () => void {
  let isCalledOff = false;
  queueMicrotask(() => {
    if (!isCalledOff) callback();
  });
  return () => {
    isCalledOff = true;
  };
}

function digestOf(parts: readonly unknown[]): string {
  return createHash('sha256').update(exactText(parts)).digest('base64');
}

/** Shards share sequence numbers and arrivals; the arrivals of a shard run forward, stay equal and run backward. */
function shardOf(events: SmallModel['shards'][number], index: number): SimShard {
  const records = events.map((event, place): SimRecord => {
    const data = event === undefined ? NO_EVENT : encodeEvent(event);
    const arrivalTime = TIME_MS + (ARRIVALS_MS[place % ARRIVALS_MS.length] ?? 0);
    const number = sequenceNumber(String(FIRST_SEQUENCE_NUMBER + place));
    return { sequenceNumber: number, arrivalTime, partitionKey: event?.deviceId ?? 'nobody', data };
  });
  const id = shardId(`shardId-${String(index).padStart(12, '0')}`);
  return { shardId: id, hashKeyRange: { start: 0n, end: 0n }, parents: [], records, isOpen: true };
}

const NO_EVENT = new TextEncoder().encode('not json');
const ARRIVALS_MS = [10, 20, 20, 5];
/** The texts of the numbers of a shard differ in length. */
const FIRST_SEQUENCE_NUMBER = 98;

function projectorOptions({ eventsPerPageMax, pagesPerSnapshot }: SmallModel): ProjectorOptions {
  const receipts = {
    sessionsMax: 1,
    rangesMax: 1,
    correctionsMax: 1,
    marksMax: 1,
    attributeNameBytesMax: 256 * 1_024,
  };
  const pageLimits = { eventsMax: eventsPerPageMax, charactersMax: 100_000, receipts };
  return { ...PROJECTOR_OPTIONS, pagesPerSnapshot, pageLimits };
}

/** Resolves when all code has run until it waits for a step: every promise that could settle has. */
function codeWaits(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
