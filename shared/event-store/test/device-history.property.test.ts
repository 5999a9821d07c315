import {
  COMPLETE_RECEIPT_LIMITS,
  compareVersions,
  type EventPage,
  type EventVersion,
  noReceipts,
  type Receipts,
  receive,
  receiveCorrection,
  type StoredEvent,
} from '@twinstream/device-model';
import { compareWithinShard, type Position } from '@twinstream/stream-model';
import { arrivedEvent, DEVICE, TEST_TIME_MS } from '@twinstream/test-kit';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { drawnChain, type RandomChain, shardOf, TINY_LIMITS, writeChain } from '../contract/random-chain.ts';
import { catchUp } from '../src/catch-up.ts';
import { loadDeviceHistory } from '../src/device-history.ts';
import { memoryEventStore } from '../src/memory-event-store.ts';

const snapshotPages = fc.constantFrom(0, 1, 2, 3);
const asked = fc.record({
  shard: fc.integer({ min: 0, max: 2 }),
  places: fc.array(fc.tuple(fc.integer({ min: 0, max: 30 }), fc.integer({ min: 0, max: 2 })), {
    minLength: 1,
    maxLength: 4,
  }),
});

function receiptsOf(pages: readonly EventPage[]): Receipts {
  const receipts = noReceipts();
  for (const { event, version } of pages.flatMap(({ events }) => events)) {
    if (event.identity !== undefined) receive(receipts, event.identity, COMPLETE_RECEIPT_LIMITS);
    if (event.correction === undefined) continue;
    const { session, counter, ordinal, revision } = version;
    const { correctionId } = event.correction;
    receiveCorrection(
      receipts,
      { correctionId, session, counter, ordinal, revision },
      COMPLETE_RECEIPT_LIMITS,
    );
  }
  return receipts;
}

/** The event before a position, found in the whole chain. */
function versionBefore(
  pages: readonly EventPage[],
  position: Position,
  arrivalTime: number,
): EventVersion | undefined {
  const candidates = pages.flatMap(({ shardId, events }) =>
    events
      .filter(({ event, late }) => event.correction === undefined && late === undefined)
      .map((stored): StoredEvent & { inShard: boolean } => ({
        ...stored,
        inShard: shardId === position.shardId,
      })),
  );
  const nearest = candidates
    .filter(({ inShard, place }) => inShard && compareWithinShard(place, position) < 0)
    .sort((a, b) => compareWithinShard(b.place, a.place))[0];
  if (nearest !== undefined) return nearest.version;
  return candidates
    .filter((candidate) => candidate.arrivalTime <= arrivalTime)
    .sort((a, b) => compareVersions(b.version, a.version))[0]?.version;
}

function pagesUpTo({ pages }: RandomChain, page: number): readonly EventPage[] {
  return pages.filter((candidate) => candidate.page <= page);
}

describe('the history of a device as of a page', () => {
  it('holds everything received up to that page, from wherever snapshots stand', async () => {
    await fc.assert(
      fc.asyncProperty(drawnChain, snapshotPages, fc.nat(), async (drawn, every, pick) => {
        const store = memoryEventStore();
        const chain = await writeChain(store, drawn, every);
        const state = chain.states[pick % chain.states.length] ?? chain.state;
        const arrived = [arrivedEvent({ at: 1, session: 1, counter: 1 })];
        const { receipts } = await loadDeviceHistory(store, state, { shardId: shardOf(0), arrived });
        expect(receipts).toEqual(receiptsOf(pagesUpTo(chain, state.page)));
      }),
      { numRuns: 400 },
    );
  });

  it('knows which positions are stored, and the event before those that are not', async () => {
    await fc.assert(
      fc.asyncProperty(
        drawnChain,
        snapshotPages,
        fc.nat(),
        asked,
        async (drawn, every, pick, { shard, places }) => {
          const store = memoryEventStore();
          const chain = await writeChain(store, drawn, every);
          const state = chain.states[pick % chain.states.length] ?? chain.state;
          const shardId = shardOf(shard);
          const mark = state.marks.get(shardId);
          // Steady chains let an arrival follow from its place; in others it is the one that was stored, if any.
          const stored = chain.pages.flatMap((page) => (page.shardId === shardId ? page.events : []));
          const arrived = places
            .map(([at, sub]) => arrivedEvent({ at, sub, arrivalTime: TEST_TIME_MS + (at >> 1) }))
            .map((event) => ({
              ...event,
              arrivalTime:
                stored.find(({ place }) => compareWithinShard(place, event.place) === 0)?.arrivalTime ??
                event.arrivalTime,
            }))
            .filter(({ place }) => mark !== undefined && compareWithinShard(place, mark) <= 0);
          const history = await loadDeviceHistory(store, state, { shardId, arrived });
          const pages = pagesUpTo(chain, state.page);
          for (const { place, arrivalTime } of arrived) {
            const position = { shardId, ...place };
            const isStored = pages.some(
              (page) =>
                page.shardId === shardId &&
                page.events.some((known) => compareWithinShard(known.place, place) === 0),
            );
            expect(history.has(position)).toBe(isStored);
            if (isStored || !drawn.isSteady) continue;
            expect(history.eventBefore(position, arrivalTime)?.version).toEqual(
              versionBefore(pages, position, arrivalTime),
            );
          }
        },
      ),
      { numRuns: 800 },
    );
  });
});

it('catches up from any state to the head', async () => {
  await fc.assert(
    fc.asyncProperty(drawnChain, snapshotPages, fc.nat(), async (drawn, every, pick) => {
      const store = memoryEventStore();
      const { states, state } = await writeChain(store, drawn, every);
      const start = states[pick % states.length] ?? state;
      expect((await catchUp(store, start, { limits: TINY_LIMITS.receipts })).state).toEqual(state);
      expect(start.deviceId).toBe(DEVICE);
    }),
    { numRuns: 300 },
  );
});
