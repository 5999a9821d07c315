import {
  type ArrivedEvent,
  type DeviceHistory,
  type DeviceId,
  type DeviceState,
  type EventPage,
  foldPage,
  keyOf,
  newDevice,
  noOutcomes,
  type OutcomeCounts,
  type PageLimits,
  planPage,
  type RecentKeys,
  type RefusedEvent,
  tracesFor,
  withRecent,
} from '@twinstream/device-model';
import {
  catchUp,
  type EventStore,
  loadDeviceHistory,
  makeSnapshot,
  PAGES_BEFORE_SNAPSHOT,
  withoutValues,
} from '@twinstream/event-store';
import type { LatestStateTable } from '@twinstream/latest-state';
import { CodedError, type Logger } from '@twinstream/runtime';
import type { SequenceNumber, ShardId } from '@twinstream/stream-model';
import { durableHead, type Head, type HeadCache } from './head-cache.ts';

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
  /** Takes corrections ahead of their device, too: what another acceptance has decided. Default: false. */
  readonly acceptsAhead?: boolean;
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
  /** Not stored: they belong in quarantine before their records count as finished. */
  readonly refused: readonly RefusedEvent[];
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

/**
 * Pages after which the chain of a device whose state is refused gets another snapshot, so that a container without its
 * head reads no more than so many: a snapshot is up to 400 write units. Twice as many as are walked before a snapshot is
 * looked for, so that one which stands there was seen.
 */
export const REFUSED_STATE_PAGES_PER_SNAPSHOT = 2 * PAGES_BEFORE_SNAPSHOT;

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
  const known = cached?.valuesOmitted ? await newerOf(services, cached, signal) : cached;
  let chain = new ChainWriter(services, batch, known ?? (await headOf(services, deviceId, signal)), signal);
  await chain.settleAll();
  if (known !== undefined && chain.head === known.state) {
    // Only memory says that all of it is stored. It is not where somebody has deleted the device meanwhile.
    chain = new ChainWriter(services, batch, await headOf(services, deviceId, signal), signal);
    await chain.settleAll();
  }
  const stateRejected = await chain.advanceState();
  await chain.putSnapshots(stateRejected);
  services.heads.put(chain.end());
  return { ...chain.report(), headHit: cached !== undefined, stateRejected };
}

/** The head by the state item, or that of a new device. */
async function headOf(
  services: ProjectDeviceServices,
  deviceId: DeviceId,
  signal: AbortSignal,
): Promise<Head> {
  return durableHead((await readState(services, deviceId, signal)) ?? newDevice(deviceId));
}

/** A head without values never becomes a state item by itself: where a repair has written one since, that is the head. */
async function newerOf(services: ProjectDeviceServices, cached: Head, signal: AbortSignal): Promise<Head> {
  const state = await readState(services, cached.state.deviceId, signal);
  return state === undefined || state.page <= cached.statePage ? cached : durableHead(state);
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
    logger.error(
      { error, code: error.code, deviceId },
      'state item unreadable; rebuilding from the event chain',
    );
    return undefined;
  }
}

/** The end of a chain without pages; undefined where no event asks for it. */
function beginningFor({ arrived }: DeviceBatch): RecentKeys | undefined {
  const eventsMax = arrived.reduce((max, { text }) => Math.max(max, keyOf(text)?.eventsMax ?? 0), 0);
  return eventsMax === 0 ? undefined : { traces: [], arrivalMaxBefore: 0, tracesMax: tracesFor(eventsMax) };
}

/** One device's way through one batch: the head moves along the chain, page by page, regardless of their writers. */
class ChainWriter {
  head: DeviceState;
  readonly #services: ProjectDeviceServices;
  readonly #batch: DeviceBatch;
  readonly #signal: AbortSignal;
  readonly #outcomes = noOutcomes();
  readonly #refused: RefusedEvent[] = [];
  readonly #snapshotsDue: Head[] = [];
  /** True while the head is known to be the last page: nothing may be refused against an older one. */
  #isAtTip = false;
  /** The last page at which the state item is known to be. */
  #statePage: number;
  /** Page from which another container can go on: that of the state item or of a snapshot. */
  #basePage: number;
  #valuesOmitted: Pick<Head, 'valuesOmitted'>;
  /** The end of the chain up to the head; undefined where it is not at hand. */
  #recent: RecentKeys | undefined;
  #pages = 0;
  #conflicts = 0;
  #historyReads = 0;
  #snapshots = 0;
  #writeUnits = 0;

  constructor(services: ProjectDeviceServices, batch: DeviceBatch, head: Head, signal: AbortSignal) {
    this.#services = services;
    this.#batch = batch;
    this.#signal = signal;
    this.head = head.state;
    this.#statePage = head.statePage;
    this.#basePage = head.basePage;
    this.#valuesOmitted = head.valuesOmitted ? { valuesOmitted: true } : {};
    this.#recent = head.recent ?? (head.state.page === 0 ? beginningFor(batch) : undefined);
  }

  /** Where the chain has come to. */
  end(): Head {
    const [statePage, basePage] = [this.#statePage, this.#basePage];
    const recent = this.#recent === undefined ? {} : { recent: this.#recent };
    return { state: this.head, statePage, basePage, ...this.#valuesOmitted, ...recent };
  }

  report() {
    return {
      outcomes: this.#outcomes,
      refused: this.#refused,
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
      const { pageLimits: limits, repaired = false, acceptsAhead = false } = this.#services;
      const plan = planPage(this.head, this.#batch.shardId, rest, {
        limits,
        repaired,
        refusesAhead: !acceptsAhead,
        recent: this.#recent,
        ...(history === undefined ? {} : { history }),
      });
      if (plan.kind === 'history-needed') {
        history = await this.#loadHistory(rest);
        this.#recent = history.recent;
        continue;
      }
      if (plan.kind === 'settled' && plan.refused.length > 0 && !this.#isAtTip) {
        await this.#catchUp();
        history = undefined;
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
        this.#moveTo(plan.next, plan.page);
        this.#isAtTip = true;
      }
      conflictsInRow = 0;
      this.#refused.push(...plan.refused);
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
    return await loadDeviceHistory(eventStore, this.head, {
      ...{ shardId, arrived: rest, recent: this.#recent, signal: this.#signal },
    });
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
    this.#isAtTip = false;
    this.#moveTo(foldPage(this.head, existing, this.#services.pageLimits.receipts), existing);
    if (!far) return;
    const state = await readState(this.#services, this.#batch.deviceId, this.#signal);
    if (state !== undefined && state.page > this.head.page) {
      this.head = state;
      this.#recent = undefined;
      this.#statePage = state.page;
      this.#basePage = state.page;
      this.#valuesOmitted = {};
    }
    await this.#catchUp();
  }

  async #catchUp(): Promise<void> {
    const { eventStore, pageLimits } = this.#services;
    const caughtUp = await catchUp(eventStore, this.head, {
      valuesOmitted: true,
      limits: pageLimits.receipts,
      signal: this.#signal,
    });
    if (caughtUp.state.page > this.head.page) this.#recent = undefined;
    this.head = caughtUp.state;
    this.#basePage = Math.max(this.#basePage, caughtUp.snapshotPage ?? 0);
    if (caughtUp.valuesOmitted) this.#valuesOmitted = { valuesOmitted: true };
    this.#isAtTip = true;
  }

  #moveTo(next: DeviceState, { events }: EventPage): void {
    this.head = next;
    if (this.#recent !== undefined) this.#recent = withRecent(this.#recent, events);
    if (next.page % this.#services.pagesPerSnapshot === 0) this.#snapshotsDue.push(this.end());
  }

  /** Writes the state that the chain has come to. Returns true when the table refuses it for good. */
  async advanceState(): Promise<boolean> {
    if (this.head.page === this.#statePage) return false;
    const { latestState, logger } = this.#services;
    if (this.#valuesOmitted.valuesOmitted) {
      const { deviceId, page } = this.head;
      logger.error({ code: 'STATE_TOO_LARGE', deviceId, page }, 'state rejected');
      return true;
    }
    try {
      const result = await latestState.write(this.head, this.#signal);
      this.#writeUnits += result.writeUnits ?? 0;
      this.#statePage = this.head.page;
      this.#basePage = this.head.page;
      return false;
    } catch (error) {
      if (!(error instanceof CodedError) || error.retryable) throw error;
      const { deviceId, page } = this.head;
      logger.error({ error, code: error.code, deviceId, page }, 'state rejected');
      return true;
    }
  }

  /**
   * Snapshots speed reads up and are never needed: one that fails is reported and left to a later page. Where the
   * state item does not advance they come closer, since other containers go on from them.
   */
  async putSnapshots(stateRejected: boolean): Promise<void> {
    const { eventStore, logger } = this.#services;
    const due = [...this.#snapshotsDue];
    if (stateRejected && this.head.page - this.#basePage >= REFUSED_STATE_PAGES_PER_SNAPSHOT)
      due.push(this.end());
    for (const { state, valuesOmitted } of due) {
      try {
        const made = await makeSnapshot(eventStore, state, { signal: this.#signal });
        const snapshot = made && (valuesOmitted ? withoutValues(made) : made);
        const result = snapshot && (await eventStore.putSnapshot(snapshot, this.#signal));
        if (result === 'stored') this.#snapshots += 1;
        if (result === 'stored' || result === 'exists') this.#basePage = Math.max(this.#basePage, state.page);
      } catch (error) {
        logger.warn({ error, deviceId: state.deviceId, page: state.page }, 'snapshot failed');
      }
    }
  }
}
