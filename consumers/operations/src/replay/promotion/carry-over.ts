import {
  ARRIVAL_TIME_MAX,
  type ArrivedEvent,
  type DeviceId,
  type DeviceState,
  type EventPage,
  foldPage,
  isBelowHighWaterMark,
  isOvertaken,
  keyOf,
  newDevice,
  type ReceiptLimits,
  type StoredEvent,
} from '@twinstream/device-model';
import { catchUp, loadDeviceHistory, nextPageKey, type PageKey } from '@twinstream/event-store';
import { PAGE_WRITING } from '@twinstream/pipeline-settings';
import { HeadCache, projectDevice } from '@twinstream/projection';
import { CodedError } from '@twinstream/runtime';
import { compareWithinShard, type ShardId, type ShardPosition } from '@twinstream/stream-model';
import { mappedText, sourceCounterIn } from '@twinstream/verification';
import { DEVICES_AT_ONCE } from '../../devices.ts';
import type { Stores } from '../../services.ts';
import { noCounts } from '../replay-job.ts';
import type { ReplayServices } from '../replay-run.ts';
import { copyDevice } from '../run-event-store.ts';
import { retryTransient } from '../targets.ts';
import { lackOf, type Requirement, requirementOf } from './cover.ts';

export interface CarryOverOptions extends ReplayServices {
  readonly fresh: Stores;
  /** True where the fresh tables are copies of the chains in use, page by page. */
  readonly isCopy: boolean;
  /** The fresh tables are to hold what arrived from here on, milliseconds since 1970; 0: everything. */
  readonly heldFromMs: number;
}

/** Position of a high-water mark, and its arrival in milliseconds since 1970. */
type Mark = ShardPosition & { readonly arrivalTime: number };

/** Brings what only the tables in use hold into the fresh ones. */
export interface CarryOver {
  /** Events that were added to the fresh tables so far. */
  readonly eventCount: number;
  /**
   * Carries over what a device's chain has that no source returns: of a copy, its further pages; otherwise the events that
   * a redrive or a repair appended, and, of a device that was visited before, every event since.
   */
  visit(deviceId: DeviceId, signal: AbortSignal): Promise<void>;
  /** Every event of the pages since the last visit, once others may write the fresh tables, too. */
  visitAgain(deviceId: DeviceId, signal: AbortSignal): Promise<void>;
  /**
   * What the fresh tables lack of a device, in words; undefined where they cover it. Events that no source gave are
   * brought from the chain in use first.
   */
  lack(deviceId: DeviceId, signal: AbortSignal): Promise<string | undefined>;
}

/** Holds the end of each visited chain in memory, some 100 bytes a device. */
export function createCarryOver(options: CarryOverOptions): CarryOver {
  const { stores, fresh, isCopy, heldFromMs, logger, pageWriting = PAGE_WRITING } = options;
  const limits = pageWriting.pageLimits.receipts;
  const heads = new HeadCache(DEVICES_AT_ONCE);
  // What lay between two carried events was no event of theirs: a page that spans it could not be restored from a source.
  const pageLimits = { ...pageWriting.pageLimits, eventsMax: 1 };
  /** Key of the page after the last one that was visited. */
  const visited = new Map<DeviceId, PageKey>();
  let eventCount = 0;

  /**
   * Events whose session and counter were derived may have others in the fresh tables, which have accepted their device's events in
   * another order: those are told by their place, or by the counter of their source and their time.
   */
  async function withoutHeld(
    { deviceId, shardId }: EventPage,
    events: readonly StoredEvent[],
    signal: AbortSignal,
  ): Promise<readonly StoredEvent[]> {
    const derived = new Map(events.flatMap((stored) => asDelivered(stored) ?? []));
    if (derived.size === 0) return events;
    return await retryTransient(options, signal, async () => {
      const head = await chainHead(fresh, deviceId, limits, signal);
      const arrived = [...derived.values()].filter(
        (event) => isBelowHighWaterMark(head, shardId, event) || isOvertaken(head, shardId, event),
      );
      const history = await loadDeviceHistory(fresh.eventStore, head, { shardId, arrived, signal });
      const held = new Set(
        arrived.filter((event) => {
          const position = { shardId, ...event.place };
          return history.has(position) || history.copyOf(position, event) !== undefined;
        }),
      );
      return events.filter((stored) => {
        const delivered = derived.get(stored);
        return delivered === undefined || !held.has(delivered);
      });
    });
  }

  /** Runs events of a page through the projector's own way. */
  async function offer(page: EventPage, events: readonly StoredEvent[], signal: AbortSignal): Promise<void> {
    for (const run of runsOf(await withoutHeld(page, events, signal))) {
      const [first] = run;
      if (first === undefined) continue;
      const writing = {
        ...{ ...fresh, ...pageWriting, pageLimits, logger, heads },
        repaired: first.repaired === true,
        // The tables in use have accepted its corrections, though their device may not have come so far in these.
        acceptsAhead: true,
      };
      const batch = {
        deviceId: page.deviceId,
        shardId: page.shardId,
        arrived: run.map(({ place, arrivalTime, event, text }) => ({ place, arrivalTime, event, text })),
        from: first.place.sequenceNumber,
      };
      const { outcomes } = await retryTransient(options, signal, () => projectDevice(writing, batch, signal));
      eventCount += outcomes.applied + outcomes.late;
    }
  }

  async function copyTail(deviceId: DeviceId, signal: AbortSignal): Promise<void> {
    const item = await retryTransient(options, signal, () => stateItem(fresh, deviceId, signal));
    const start = item ?? newDevice(deviceId);
    let copied = noCounts();
    const end = await retryTransient(options, signal, () => {
      copied = noCounts();
      const pace = { stepEntries: 1, take: async () => undefined };
      return copyDevice({ ...options, pace, signal }, fresh, start, copied);
    });
    eventCount += copied.applied;
    visited.set(deviceId, nextPageKey(end));
  }

  async function carry(deviceId: DeviceId, isAll: boolean, signal: AbortSignal): Promise<void> {
    const from = visited.get(deviceId);
    await retryTransient(options, signal, async () => {
      let end = from;
      for await (const page of stores.eventStore.pages(deviceId, { from, consistent: true, signal })) {
        end = after(end, page);
        const events = page.events.filter(
          ({ arrivalTime, repaired }) => arrivalTime >= heldFromMs && (isAll || repaired === true),
        );
        if (events.length > 0) await offer(page, events, signal);
      }
      if (end !== undefined) visited.set(deviceId, end);
    });
  }

  /**
   * Brings a page that holds no event, which says of some that they were duplicates, where the fresh chain has seen nothing
   * of its shard up to there. Its texts are not stored, so that it can only be laid under its own end.
   */
  async function offerWithoutEvents(page: EventPage, signal: AbortSignal): Promise<void> {
    const end = { place: page.through, arrivalTime: page.throughArrivalTime };
    let head = await chainHead(fresh, page.deviceId, limits, signal);
    while (!isBelowHighWaterMark(head, page.shardId, end)) {
      const next = { ...page, page: head.page + 1, arrivalMaxBefore: head.arrivalMax };
      const { outcome } = await fresh.eventStore.appendPage(next, signal);
      head =
        outcome === 'appended'
          ? foldPage(head, next, limits)
          : await chainHead(fresh, page.deviceId, limits, signal);
    }
    // Also where it was appended before, and the state was not written any more.
    await fresh.latestState.write(head, signal);
  }

  /** Offers the whole chain, and tells what it holds. */
  async function offerAll(deviceId: DeviceId, signal: AbortSignal): Promise<Requirement> {
    const marks = new Map<ShardId, Mark>();
    const require = (shardId: ShardId, mark: Mark) => {
      const highest = marks.get(shardId);
      if (highest === undefined || compareWithinShard(mark, highest) > 0) marks.set(shardId, mark);
    };
    let events = 0;
    // Where two copies are farther apart in one chain than in the other, one of them is enough.
    const keys = new Set<string>();
    for await (const page of stores.eventStore.pages(deviceId, { consistent: true, signal })) {
      const { shardId, through, throughArrivalTime } = page;
      if (page.events.length === 0 && throughArrivalTime >= heldFromMs) {
        require(shardId, { ...through, arrivalTime: throughArrivalTime });
        await offerWithoutEvents(page, signal);
        continue;
      }
      const wanted = page.events.filter(({ arrivalTime }) => arrivalTime >= heldFromMs);
      for (const { place, arrivalTime, text } of wanted) {
        const key = keyOf(text)?.key;
        if (key === undefined) events += 1;
        else keys.add(key);
        require(shardId, { ...place, arrivalTime });
      }
      await offer(page, wanted, signal);
    }
    return { events: events + keys.size, marks };
  }

  async function headInUse(deviceId: DeviceId, signal: AbortSignal) {
    try {
      return await chainHead(stores, deviceId, limits, signal);
    } catch (error) {
      // Tables that are damaged may be just what is replaced: what they still have is read page by page.
      if (!(error instanceof CodedError) || error.code !== 'CHAIN_BROKEN') throw error;
      return undefined;
    }
  }

  /** The fresh head, which the state item has then: an attempt that died may have appended a page and written no state. */
  async function writtenHead(deviceId: DeviceId, signal: AbortSignal): Promise<DeviceState> {
    const item = await stateItem(fresh, deviceId, signal);
    const head = await headFrom(fresh, item ?? newDevice(deviceId), limits, signal);
    if (head.page > (item?.page ?? 0)) await fresh.latestState.write(head, signal);
    return head;
  }

  /** The fresh head beside the last page that is stored. */
  async function writtenEnd(deviceId: DeviceId, signal: AbortSignal) {
    const held = await writtenHead(deviceId, signal);
    const end = await fresh.eventStore.lastKeyBelow(deviceId, ARRIVAL_TIME_MAX + 1, signal);
    const pages = end?.page ?? 0;
    if (pages <= held.page) return { held, pages };
    // An attempt that was taken over has appended it between the two reads: they are tried again.
    const why = `another command writes pages of ${deviceId} to the fresh tables`;
    throw new CodedError('PROMOTION_NOT_ALONE', why, { retryable: true });
  }

  return {
    get eventCount() {
      return eventCount;
    },
    visit: (deviceId, signal) =>
      isCopy ? copyTail(deviceId, signal) : carry(deviceId, visited.has(deviceId), signal),
    visitAgain: (deviceId, signal) => carry(deviceId, visited.has(deviceId), signal),
    lack: (deviceId, signal) =>
      retryTransient(options, signal, async () => {
        const { held, pages } = await writtenEnd(deviceId, signal);
        // A state can stand without its pages: their table was cleared, or never filled.
        if (pages < held.page) return `the state is that of page ${held.page}, and the pages end at ${pages}`;
        const inUse = await headInUse(deviceId, signal);
        const lack = inUse ? lackOf(held, requirementOf(inUse, heldFromMs)) : 'pages in use are missing';
        if (isCopy || lack === undefined) return lack;
        const required = await offerAll(deviceId, signal);
        return lackOf(await writtenHead(deviceId, signal), required);
      }),
  };
}

function after(before: PageKey | undefined, page: EventPage): PageKey {
  const arrivalMax = Math.max(before?.arrivalMaxBefore ?? 0, page.arrivalMaxBefore, page.lastArrivalTime);
  return nextPageKey({ arrivalMax, page: page.page });
}

/** An event with a derived identity as a decoder made it, beside the event itself; undefined for any other. */
function asDelivered(stored: StoredEvent): readonly [readonly [StoredEvent, ArrivedEvent]] | undefined {
  const { place, arrivalTime, event, text } = stored;
  const counter = sourceCounterIn(text);
  if (counter === undefined || event.identity === undefined) return undefined;
  const { identity: _, ...uncounted } = event;
  // What a counter means does not matter to whether it is stored.
  const sourceCounter = { counter, bits: 48, lateMax: 0, restart: false };
  return [[stored, { place, arrivalTime, event: uncounted, text: mappedText(text), sourceCounter }]];
}

/** Neighbours that were appended by the same kind of writer. */
function runsOf(events: readonly StoredEvent[]): readonly (readonly StoredEvent[])[] {
  const runs: StoredEvent[][] = [];
  for (const event of events) {
    const run = runs.at(-1);
    if (run !== undefined && run[0]?.repaired === event.repaired) run.push(event);
    else runs.push([event]);
  }
  return runs;
}

/** The state item of a device; undefined where it is missing or cannot be read. */
async function stateItem(
  { latestState }: Pick<Stores, 'latestState'>,
  deviceId: DeviceId,
  signal: AbortSignal,
): Promise<DeviceState | undefined> {
  try {
    return await latestState.read(deviceId, { consistent: true, signal });
  } catch (error) {
    if (error instanceof CodedError && error.code === 'DAMAGED_STATE') return undefined;
    throw error;
  }
}

/**
 * The fold of every page of a device, from its state item on: what is stored, also where the item is behind its pages,
 * missing or unreadable. Throws `CHAIN_BROKEN` where a page after it is missing.
 */
async function chainHead(
  stores: Stores,
  deviceId: DeviceId,
  limits: ReceiptLimits,
  signal: AbortSignal,
): Promise<DeviceState> {
  const item = await stateItem(stores, deviceId, signal);
  return headFrom(stores, item ?? newDevice(deviceId), limits, signal);
}

async function headFrom(
  { eventStore }: Stores,
  state: DeviceState,
  limits: ReceiptLimits,
  signal: AbortSignal,
): Promise<DeviceState> {
  return (await catchUp(eventStore, state, { limits, signal })).state;
}
