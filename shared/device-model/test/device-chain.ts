import {
  type ArrivedEvent,
  COMPLETE_RECEIPT_LIMITS,
  type DeviceEvent,
  type DeviceHistory,
  type DeviceState,
  deviceId,
  type EventPage,
  eventText,
  foldPage,
  isCopy,
  keyTrace,
  newDevice,
  noOutcomes,
  type OutcomeCounts,
  PAGE_LIMITS,
  type PageLimits,
  planPage,
  type StoredEvent,
} from '@twinstream/device-model';
import {
  compareWithinShard,
  type Position,
  type ShardId,
  sequenceNumber,
  shardId,
} from '@twinstream/stream-model';
import { expect } from 'vitest';

export const DEVICE = deviceId('bus-1');
export const SHARDS = ['a', 'b', 'c', 'd'].map((name) => shardId(`shardId-${name}`));
export const [A, B, C, D] = SHARDS as [ShardId, ShardId, ShardId, ShardId];

/** Limits at which everything that is rare happens all the time. */
export const TINY_LIMITS: PageLimits = {
  eventsMax: 2,
  charactersMax: 300,
  receipts: {
    sessionsMax: 1,
    rangesMax: 1,
    correctionsMax: 1,
    marksMax: 1,
    attributeNameBytesMax: 256 * 1_024,
  },
};

/** An event as a shard delivers it: the n-th record of the shard, arriving at millisecond n unless said otherwise. */
export function arrived(n: number, event: DeviceEvent, arrivalTime = n): ArrivedEvent {
  return {
    place: { sequenceNumber: sequenceNumber(`${n}`), subSequenceNumber: 0 },
    arrivalTime,
    event,
    text: eventText(event),
  };
}

type EventParts = Partial<Pick<DeviceEvent, 'type' | 'data' | 'time'>>;

export function uncounted(parts: EventParts = {}): DeviceEvent {
  return { v: 1, deviceId: DEVICE, type: 'reported', time: '2026-11-23T05:00:00Z', data: {}, ...parts };
}

export function counted(session: number, counter: number, parts: EventParts = {}): DeviceEvent {
  return { ...uncounted(parts), identity: { session, counter } };
}

export function corrected(
  correctionId: string,
  data: DeviceEvent['data'],
  corrects?: { session: number; counter: number },
): DeviceEvent {
  const correction = {
    correctionId,
    reason: 'sensor fault',
    actor: 'operator',
    ...(corrects ? { corrects } : {}),
  };
  return { ...uncounted({ type: 'corrected', data }), correction };
}

/** What an event store with these pages would tell. */
export function historyOf(pages: readonly EventPage[]): DeviceHistory {
  const complete = { ...PAGE_LIMITS, receipts: COMPLETE_RECEIPT_LIMITS };
  const { receipts } = pages.reduce(
    (state, page) => foldPage(state, page, complete.receipts),
    newDevice(DEVICE),
  );
  const storedIn = (shard: ShardId): StoredEvent[] =>
    pages.filter((page) => page.shardId === shard).flatMap((page) => page.events);
  return {
    receipts,
    has: ({ shardId, ...place }: Position) =>
      storedIn(shardId).some((stored) => compareWithinShard(stored.place, place) === 0),
    copyOf: (_, arrived) => pages.flatMap(({ events }) => events).find((stored) => isCopy(stored, arrived)),
    hasCopyByKey: () => undefined,
    recent: {
      traces: pages.flatMap(({ events }) => events.map(keyTrace)),
      arrivalMaxBefore: 0,
      tracesMax: 0,
    },
    eventBefore: ({ shardId, ...place }: Position) =>
      storedIn(shardId)
        .filter(({ event, late }) => event.correction === undefined && late === undefined)
        .filter((stored) => compareWithinShard(stored.place, place) < 0)
        .sort((x, y) => compareWithinShard(y.place, x.place))[0],
  };
}

/** A device's chain of pages with its state, as a projector with an event store beside it would write them. */
export interface DeviceChain {
  readonly state: DeviceState;
  readonly pages: readonly EventPage[];
  /** How often the event store was asked. */
  readonly historyReads: number;
  /** Projects a batch of one shard, and checks at each page that folding it gives the state that was planned. */
  deliver(shard: ShardId, batch: readonly ArrivedEvent[], options?: { repaired?: boolean }): OutcomeCounts;
}

export function openChain(
  limits: PageLimits = PAGE_LIMITS,
  start: DeviceState = newDevice(DEVICE),
): DeviceChain {
  let state = start;
  let historyReads = 0;
  const pages: EventPage[] = [];

  function plan(shard: ShardId, rest: readonly ArrivedEvent[], repaired: boolean) {
    const first = planPage(state, shard, rest, { limits, repaired });
    if (first.kind !== 'history-needed') return first;
    historyReads += 1;
    const second = planPage(state, shard, rest, { limits, repaired, history: historyOf(pages) });
    if (second.kind === 'history-needed') throw new Error('the history did not decide');
    return second;
  }

  return {
    get state() {
      return state;
    },
    get historyReads() {
      return historyReads;
    },
    pages,
    deliver(shard, batch, { repaired = false } = {}) {
      const total = noOutcomes();
      for (let rest = batch; rest.length > 0; ) {
        const planned = plan(shard, rest, repaired);
        expect(planned.taken).toBeGreaterThan(0);
        rest = rest.slice(planned.taken);
        for (const name of Object.keys(total) as (keyof OutcomeCounts)[])
          total[name] += planned.outcomes[name];
        if (planned.kind === 'settled') continue;
        expect(foldPage(state, planned.page, limits.receipts)).toStrictEqual(planned.next);
        state = planned.next;
        pages.push(planned.page);
      }
      return total;
    },
  };
}

/** Attributes as they stand, by name, removed ones left out. */
export function valuesOf(state: DeviceState): Record<string, unknown> {
  return Object.fromEntries(
    [...state.attributes]
      .filter(([, { value }]) => value !== undefined)
      .map(([name, { value }]) => [name, value]),
  );
}
