import {
  type ArrivedEvent,
  type DeviceHistory,
  type DeviceId,
  type DeviceState,
  type EventPage,
  foldPage,
  newDevice,
  noOutcomes,
  type OutcomeCounts,
  type PageLimits,
  planPage,
} from '@twinstream/device-model';
import { catchUp, type EventStore, loadDeviceHistory, makeSnapshot } from '@twinstream/event-store';
import type { LatestStateTable } from '@twinstream/latest-state';
import { CodedError, type Logger } from '@twinstream/runtime';
import type { SequenceNumber, ShardId } from '@twinstream/stream-model';
import type { HeadCache } from './head-cache.ts';

export interface ProjectDeviceServices {
  readonly eventStore: EventStore;
  readonly latestState: LatestStateTable;
  readonly heads: HeadCache;
  readonly logger: Logger;
  readonly pageLimits: PageLimits;
  /** A snapshot is written after every page whose number is a multiple of it. */
  readonly pagesPerSnapshot: number;
  /** Marks what is stored as appended by a repair. Default: false. */
  readonly repaired?: boolean;
}

/** Events of one device that one shard delivered, positions rising. */
export interface DeviceBatch {
  readonly deviceId: DeviceId;
  readonly shardId: ShardId;
  readonly arrived: readonly ArrivedEvent[];
  /** Record in which the first of them lies. */
  readonly from: SequenceNumber;
}

/** What one device's part of a batch came to. */
export interface DeviceReport {
  readonly outcomes: OutcomeCounts;
  readonly pages: number;
  /** Pages of other writers that were met and folded. */
  readonly conflicts: number;
  readonly headHit: boolean;
  readonly historyReads: number;
  readonly snapshots: number;
  /** The pages are durable, and the state item refuses to be written: an alarm, healed by the next event or by `verify`. */
  readonly stateRejected: boolean;
  readonly writeUnits: number;
}

/** Conflicts in a row after which the whole rest of the chain is read instead of one page at a time. */
const CONFLICTS_BEFORE_CATCH_UP = 1;

/**
 * Appends one device's events to its chain and advances its state. When it returns, every event is in a durable page and
 * the state item is at or past those pages. When it throws, any part may have happened: running it again with the
 * same events stores nothing twice.
 */
export async function projectDevice(
  services: ProjectDeviceServices,
  batch: DeviceBatch,
  signal: AbortSignal,
): Promise<DeviceReport> {
  const { deviceId } = batch;
  const cached = services.heads.take(deviceId);
  let chain = new ChainWriter(services, batch, cached ?? (await stateOf(services, deviceId, signal)), signal);
  await chain.settleAll();
  if (cached !== undefined && chain.head === cached) {
    // Only memory says that all of it is stored. It is not where somebody has deleted the device meanwhile.
    chain = new ChainWriter(services, batch, await stateOf(services, deviceId, signal), signal);
    await chain.settleAll();
  }
  const stateRejected = await chain.advanceState();
  await chain.putSnapshots();
  if (!stateRejected) services.heads.put(chain.head);
  return { ...chain.report(), headHit: cached !== undefined, stateRejected };
}

/** The state item, or that of a device that nothing is known of. */
async function stateOf(
  services: ProjectDeviceServices,
  deviceId: DeviceId,
  signal: AbortSignal,
): Promise<DeviceState> {
  return (await readState(services, deviceId, signal)) ?? newDevice(deviceId);
}

/** The state item, or nothing where it is missing or cannot be read: the chain holds all that it holds. */
async function readState(
  { latestState, logger }: ProjectDeviceServices,
  deviceId: DeviceId,
  signal: AbortSignal,
): Promise<DeviceState | undefined> {
  try {
    return await latestState.read(deviceId, { consistent: true, signal });
  } catch (error) {
    if (!(error instanceof CodedError) || error.code !== 'DAMAGED_STATE') throw error;
    logger.error({ error, code: error.code, deviceId }, 'state cannot be read, its chain is');
    return undefined;
  }
}

/** One device's way through one batch: the head moves along the chain, page by page, whoever wrote them. */
class ChainWriter {
  head: DeviceState;
  readonly #services: ProjectDeviceServices;
  readonly #batch: DeviceBatch;
  readonly #signal: AbortSignal;
  readonly #outcomes = noOutcomes();
  readonly #snapshotsDue: DeviceState[] = [];
  /** The last page at which the state item is known to be. */
  #statePage: number;
  #pages = 0;
  #conflicts = 0;
  #historyReads = 0;
  #snapshots = 0;
  #writeUnits = 0;

  constructor(services: ProjectDeviceServices, batch: DeviceBatch, head: DeviceState, signal: AbortSignal) {
    this.#services = services;
    this.#batch = batch;
    this.#signal = signal;
    this.head = head;
    this.#statePage = head.page;
  }

  report() {
    return {
      outcomes: this.#outcomes,
      pages: this.#pages,
      conflicts: this.#conflicts,
      historyReads: this.#historyReads,
      snapshots: this.#snapshots,
      writeUnits: this.#writeUnits,
    };
  }

  /** Classifies and appends until every event is stored or known to be. Conflicts are progress; only the deadline limits them. */
  async settleAll(): Promise<void> {
    let rest = this.#batch.arrived;
    let history: DeviceHistory | undefined;
    let conflictsInRow = 0;
    while (rest.length > 0) {
      this.#signal.throwIfAborted();
      const { pageLimits: limits, repaired = false } = this.#services;
      const plan = planPage(this.head, this.#batch.shardId, rest, {
        limits,
        repaired,
        ...(history === undefined ? {} : { history }),
      });
      if (plan.kind === 'history-needed') {
        history = await this.#loadHistory(rest);
        continue;
      }
      if (plan.kind === 'page') {
        const existing = await this.#append(plan.page);
        history = undefined;
        if (existing !== undefined) {
          conflictsInRow += 1;
          await this.#adopt(existing, conflictsInRow > CONFLICTS_BEFORE_CATCH_UP);
          continue;
        }
        this.#moveTo(plan.next);
      }
      conflictsInRow = 0;
      rest = rest.slice(plan.taken);
      for (const name of Object.keys(plan.outcomes) as (keyof OutcomeCounts)[]) {
        this.#outcomes[name] += plan.outcomes[name];
      }
    }
  }

  async #loadHistory(rest: readonly ArrivedEvent[]): Promise<DeviceHistory> {
    this.#historyReads += 1;
    const { eventStore } = this.#services;
    const { shardId } = this.#batch;
    return await loadDeviceHistory(eventStore, this.head, { shardId, arrived: rest, signal: this.#signal });
  }

  async #append(page: EventPage): Promise<EventPage | undefined> {
    const result = await this.#services.eventStore.appendPage(page, this.#signal);
    this.#writeUnits += result.writeUnits ?? 0;
    if (result.outcome === 'appended') {
      this.#pages += 1;
      return undefined;
    }
    this.#conflicts += 1;
    return result.existing;
  }

  async #adopt(existing: EventPage, far: boolean): Promise<void> {
    this.#moveTo(foldPage(this.head, existing, this.#services.pageLimits.receipts));
    if (!far) return;
    const { eventStore } = this.#services;
    const state = await readState(this.#services, this.#batch.deviceId, this.#signal);
    if (state !== undefined && state.page > this.head.page) {
      this.head = state;
      this.#statePage = state.page;
    }
    this.head = await catchUp(eventStore, this.head, {
      limits: this.#services.pageLimits.receipts,
      signal: this.#signal,
    });
  }

  #moveTo(next: DeviceState): void {
    this.head = next;
    if (next.page % this.#services.pagesPerSnapshot === 0) this.#snapshotsDue.push(next);
  }

  /** Writes the state that the chain has come to. Returns true when the table refuses it for good. */
  async advanceState(): Promise<boolean> {
    if (this.head.page === this.#statePage) return false;
    const { latestState, logger } = this.#services;
    try {
      const result = await latestState.write(this.head, this.#signal);
      this.#writeUnits += result.writeUnits ?? 0;
      return false;
    } catch (error) {
      if (!(error instanceof CodedError) || error.retryable) throw error;
      const { deviceId, page } = this.head;
      logger.error({ error, code: error.code, deviceId, page }, 'state rejected');
      return true;
    }
  }

  /** Snapshots speed reads up and are never needed: one that fails is reported and left to a later page. */
  async putSnapshots(): Promise<void> {
    const { eventStore, logger } = this.#services;
    for (const state of this.#snapshotsDue) {
      try {
        const snapshot = await makeSnapshot(eventStore, state, { signal: this.#signal });
        const result = snapshot && (await eventStore.putSnapshot(snapshot, this.#signal));
        if (result === 'stored') this.#snapshots += 1;
      } catch (error) {
        logger.warn({ error, deviceId: state.deviceId, page: state.page }, 'snapshot failed');
      }
    }
  }
}
