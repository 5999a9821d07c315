import {
  attributeNameBytes,
  compareVersions,
  type DeviceState,
  type EventPage,
  eventTimeMs,
  type StoredEvent,
} from '@twinstream/device-model';
import { DEVICE, TEST_TIME_MS } from '@twinstream/test-kit';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { asOf } from '../contract/as-of.ts';
import { drawnChain, type RandomChain, TINY_LIMITS, writeChain } from '../contract/random-chain.ts';
import { memoryEventStore } from '../src/memory-event-store.ts';
import { stateAt } from '../src/state-at.ts';

const { receipts: limits } = TINY_LIMITS;
const snapshotPages = fc.constantFrom(0, 1, 2, 3);
const time = fc.integer({ min: -25, max: 45 }).map((ms) => TEST_TIME_MS + ms);

/** Events of the chain before the first one at which the running maximum of arrivals exceeds a time. */
function acceptedBy(pages: readonly EventPage[], timeMs: number): readonly StoredEvent[] {
  const accepted: StoredEvent[] = [];
  let arrivalMax = 0;
  for (const page of pages) {
    for (const stored of page.events) {
      arrivalMax = Math.max(arrivalMax, stored.arrivalTime);
      if (arrivalMax > timeMs) return accepted;
      accepted.push(stored);
    }
    arrivalMax = Math.max(arrivalMax, page.lastArrivalTime);
  }
  return accepted;
}

/** What events make of the attributes, told without the fold: each that is kept has the value of its newest version. */
function valuesOf(events: readonly StoredEvent[]): Map<string, unknown> {
  const newest = new Map<string, StoredEvent>();
  for (const stored of events) {
    if (!['reported', 'connected', 'disconnected', 'corrected'].includes(stored.event.type)) continue;
    for (const name of Object.keys(stored.event.data)) {
      const known = newest.get(name);
      if (known === undefined || compareVersions(stored.version, known.version) > 0) newest.set(name, stored);
    }
  }
  const kept = [...newest].filter(([name]) => isKept(name, newest));
  return new Map(kept.map(([name, { event }]) => [name, event.data[name] ?? undefined]));
}

/** Names are kept from the newest version down, as far as they fit; each event sets one. */
function isKept(name: string, newest: ReadonlyMap<string, StoredEvent>): boolean {
  const own = newest.get(name);
  if (own === undefined || name === 'site') return true;
  let bytes = 0;
  for (const [rival, { version }] of newest) {
    if (compareVersions(version, own.version) >= 0) bytes += attributeNameBytes(rival);
  }
  return bytes <= limits.attributeNameBytesMax;
}

function shownValues({ attributes }: Pick<DeviceState, 'attributes'>): Map<string, unknown> {
  return new Map([...attributes].map(([name, { value }]) => [name, value]));
}

function gapsOf(events: readonly StoredEvent[]): number {
  const sessions = new Map<number, Set<number>>();
  for (const { event } of events) {
    if (event.identity === undefined) continue;
    const { session, counter } = event.identity;
    sessions.set(session, (sessions.get(session) ?? new Set()).add(counter));
  }
  return [...sessions.values()].reduce(
    (gaps, counters) => gaps + Math.max(...counters) - Math.min(...counters) + 1 - counters.size,
    0,
  );
}

function eventsOf({ pages }: RandomChain): readonly StoredEvent[] {
  return pages.flatMap(({ events }) => events);
}

describe('the state at a time, by arrival', () => {
  it('is what was stored by then, whatever snapshots there are', async () => {
    await fc.assert(
      fc.asyncProperty(drawnChain, snapshotPages, time, async (drawn, every, timeMs) => {
        const store = memoryEventStore();
        const chain = await writeChain(store, drawn, every);
        const { state } = await stateAt(store, DEVICE, asOf(timeMs), 'arrival', { limits });
        const accepted = acceptedBy(chain.pages, timeMs);
        expect(shownValues(state)).toEqual(valuesOf(accepted));
        expect(state.counts.events).toBe(accepted.length);
        expect(state.counts.late).toBe(accepted.filter(({ late }) => late !== undefined).length);
        expect(state.arrivalMax).toBeLessThanOrEqual(Math.max(timeMs, 0));
      }),
      { numRuns: 600 },
    );
  });

  it('is the very state that stood after a page, at the arrival where it ended', async () => {
    await fc.assert(
      fc.asyncProperty(drawnChain, snapshotPages, async (drawn, every) => {
        const store = memoryEventStore();
        const { states } = await writeChain(store, drawn, every);
        for (const [index, expected] of states.entries()) {
          if ((states[index + 1]?.arrivalMax ?? Number.POSITIVE_INFINITY) <= expected.arrivalMax) continue;
          const { state } = await stateAt(store, DEVICE, asOf(expected.arrivalMax), 'arrival', { limits });
          // The next page may hold events that had arrived by then; whole pages are what is compared.
          if (state.page === expected.page) expect(state).toEqual(expected);
          else expect(state.page).toBe(expected.page + 1);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('reads no more pages than lie between two snapshots', async () => {
    await fc.assert(
      fc.asyncProperty(drawnChain, fc.constantFrom(1, 2, 3), time, async (drawn, every, timeMs) => {
        const store = memoryEventStore();
        await writeChain(store, drawn, every);
        const { pagesRead } = await stateAt(store, DEVICE, asOf(timeMs), 'arrival', { limits });
        expect(pagesRead).toBeLessThanOrEqual(every);
      }),
      { numRuns: 300 },
    );
  });
});

describe('the state at a time, by event time', () => {
  it('is what all events up to then say, whenever they came and whatever snapshots there are', async () => {
    await fc.assert(
      fc.asyncProperty(drawnChain, snapshotPages, time, async (drawn, every, timeMs) => {
        const store = memoryEventStore();
        const chain = await writeChain(store, drawn, every);
        const { state } = await stateAt(store, DEVICE, asOf(timeMs), 'event-time', { limits });
        const events = eventsOf(chain).filter(({ event }) => eventTimeMs(event.time) <= timeMs);
        expect(shownValues(state)).toEqual(valuesOf(events));
        expect(state.counts).toEqual({
          events: events.length,
          late: events.filter(({ late }) => late !== undefined).length,
          duplicates: 0,
          gaps: gapsOf(events),
        });
        const newest = events
          .filter(({ event }) => event.correction === undefined)
          .reduce<StoredEvent | undefined>(
            (found, stored) => (found && compareVersions(found.version, stored.version) > 0 ? found : stored),
            undefined,
          );
        expect(state.lastEventTime?.value).toBe(newest?.event.time);
        expect(state.current).toEqual({
          session: newest?.version.session ?? -1,
          counter: newest?.version.counter ?? -1,
        });
      }),
      { numRuns: 600 },
    );
  });

  it('does not depend on where snapshots stand', async () => {
    await fc.assert(
      fc.asyncProperty(drawnChain, fc.constantFrom(1, 2, 3), time, async (drawn, every, timeMs) => {
        const [without, with_] = [memoryEventStore(), memoryEventStore()];
        await writeChain(without, drawn, 0);
        await writeChain(with_, drawn, every);
        const expected = await stateAt(without, DEVICE, asOf(timeMs), 'event-time', { limits });
        const found = await stateAt(with_, DEVICE, asOf(timeMs), 'event-time', { limits });
        expect(found.state).toEqual(expected.state);
      }),
      { numRuns: 300 },
    );
  });
});
