import {
  type ArrivedEvent,
  type DeviceId,
  type DeviceState,
  type EventPage,
  foldPage,
  newDevice,
  PAGE_LIMITS,
  type PageLimits,
} from '@twinstream/device-model';
import type { ShardId } from '@twinstream/stream-model';
import { arrivedEvent, DEVICE, SHARDS, TEST_TIME_MS } from '@twinstream/test-kit';
import * as fc from 'fast-check';
import type { EventStore } from '../src/event-store.ts';
import { makeSnapshot } from '../src/make-snapshot.ts';
import { writeBatch } from './chain-writer.ts';

/** One event of a batch, drawn small so that counters, places and times meet often. */
interface DrawnEvent {
  readonly kind: 'counted' | 'uncounted' | 'corrected' | 'status';
  readonly session: number;
  readonly counter: number;
  readonly at: number;
  readonly sub: number;
  readonly arrivalMs: number;
  readonly timeMs: number;
  readonly attribute: string;
  readonly value: number | string | null;
}

export interface DrawnBatch {
  readonly shard: number;
  readonly repaired: boolean;
  readonly events: readonly DrawnEvent[];
}

const drawnEvent: fc.Arbitrary<DrawnEvent> = fc.record({
  kind: fc.constantFrom('counted', 'counted', 'uncounted', 'uncounted', 'corrected', 'status'),
  session: fc.integer({ min: 1, max: 3 }),
  counter: fc.integer({ min: 0, max: 12 }),
  at: fc.integer({ min: 0, max: 30 }),
  sub: fc.integer({ min: 0, max: 2 }),
  arrivalMs: fc.integer({ min: 0, max: 40 }),
  timeMs: fc.integer({ min: -20, max: 40 }),
  attribute: fc.constantFrom('speedMph', 'routeId', '__proto__', '7', 'site'),
  value: fc.oneof(fc.integer({ min: 0, max: 9 }), fc.constant(null), fc.constant('north')),
});

const drawnBatch: fc.Arbitrary<DrawnBatch> = fc.record({
  shard: fc.integer({ min: 0, max: 2 }),
  repaired: fc.boolean(),
  events: fc.array(drawnEvent, { minLength: 1, maxLength: 6 }),
});

export interface DrawnChain {
  /** Whether arrivals follow from places, as in a shard; otherwise they jump. */
  readonly isSteady: boolean;
  readonly batches: readonly DrawnBatch[];
}

/** Batches of one device over three shards: ordered, late, repeated, uncounted, corrected and repaired events. */
export const drawnChain: fc.Arbitrary<DrawnChain> = fc.record({
  isSteady: fc.boolean(),
  batches: fc.array(drawnBatch, { minLength: 1, maxLength: 14 }),
});

/** Tiny limits, so that what is rare runs: two ranges a session, one correction, two marks, two attributes, three events a page. */
export const TINY_LIMITS: PageLimits = {
  ...PAGE_LIMITS,
  eventsMax: 3,
  receipts: {
    sessionsMax: 1,
    rangesMax: 2,
    correctionsMax: 1,
    marksMax: 2,
    attributeNameBytesMax: 110,
  },
};

export interface RandomChain {
  readonly state: DeviceState;
  readonly pages: readonly EventPage[];
  /** State after each page, with that before the first one in front. */
  readonly states: readonly DeviceState[];
}

/** Writes batches one after the other, and a snapshot after every `snapshotPages` pages; none where it is 0. */
export async function writeChain(
  store: EventStore,
  { isSteady, batches }: DrawnChain,
  snapshotPages: number,
  deviceId: DeviceId = DEVICE,
): Promise<RandomChain> {
  const limits = TINY_LIMITS;
  let state = newDevice(deviceId);
  const states = [state];
  const pages: EventPage[] = [];
  const delivered = new Map<string, DrawnEvent>();
  for (const { shard, repaired, events } of batches) {
    const arrived = eventsInOrder(events, isSteady).map((event) => {
      // A position holds one event for good: what is drawn there again is a redelivery.
      const key = `${shard}:${event.at}:${event.sub}`;
      const first = delivered.get(key) ?? event;
      delivered.set(key, first);
      return arrivedOf(first, deviceId);
    });
    const written = await writeBatch(store, state, shardOf(shard), arrived, { limits, repaired });
    for (const page of written.pages) {
      state = foldPage(state, page, limits.receipts);
      states.push(state);
      if (snapshotPages === 0 || state.page % snapshotPages !== 0) continue;
      const snapshot = await makeSnapshot(store, state);
      if (snapshot !== undefined) await store.putSnapshot(snapshot);
    }
    pages.push(...written.pages);
  }
  return { state, pages, states };
}

export function shardOf(index: number): ShardId {
  return SHARDS[index as 0 | 1 | 2];
}

/** As a shard delivers them: positions rise strictly. */
function eventsInOrder(events: readonly DrawnEvent[], isSteady: boolean): readonly DrawnEvent[] {
  const byPlace = new Map(events.map((event) => [event.at * 10 + event.sub, event]));
  return [...byPlace]
    .sort(([a], [b]) => a - b)
    .map(([, event]) => (isSteady ? { ...event, arrivalMs: event.at >> 1 } : event));
}

function arrivedOf(drawn: DrawnEvent, deviceId: DeviceId): ArrivedEvent {
  const { kind, session, counter, at, sub, arrivalMs, timeMs, attribute, value } = drawn;
  return arrivedEvent({
    deviceId,
    at,
    sub,
    arrivalTime: TEST_TIME_MS + arrivalMs,
    time: new Date(TEST_TIME_MS + timeMs).toISOString(),
    data: Object.fromEntries([[attribute, value]]),
    ...(kind === 'status' ? { type: counter % 2 === 0 ? 'connected' : 'disconnected' } : {}),
    ...(kind === 'counted' || kind === 'status' ? { session, counter } : {}),
    ...(kind === 'corrected' ? { correctionId: `c-${counter}` } : {}),
    ...(kind === 'corrected' && at % 2 === 0 ? { corrects: { session, counter } } : {}),
  });
}
