import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type FaultShares, HELD_EVENTS_MAX, NO_FAULTS, withFaults } from '../../src/faults/sending-faults.ts';
import type { PlannedEvent } from '../../src/sending/planned-event.ts';
import { all, listedSource, planned, textOf } from '../sending/listed-source.ts';

/** Events of some devices in turns, each counted from 1. */
const turns = (devices: number, rounds: number): readonly PlannedEvent[] =>
  Array.from({ length: devices * rounds }, (_, index) =>
    planned(`d${index % devices}`, Math.floor(index / devices) + 1, { dueMs: index }),
  );

const faulty = (events: readonly PlannedEvent[], shares: Partial<FaultShares>, seed = 1) =>
  all(withFaults(listedSource(events), { ...NO_FAULTS, ...shares }, seed));

const countersOf = (events: readonly PlannedEvent[], device: string): readonly number[] =>
  events.filter(({ deviceId }) => deviceId === device).map(({ counter }) => counter ?? 0);

const struckBy = (events: readonly PlannedEvent[], fault: string) =>
  events.filter((event) => event.fault === fault);

describe('faults', () => {
  test('strike the same events for the same seed, read synchronously or not', async () => {
    const shares = { duplicates: 0.1, outOfOrder: 0.1, late: 0.1, drop: 0.1, malformed: 0.1 };
    const events = turns(5, 200);
    const first = await faulty(events, shares);
    expect(await faulty(events, shares)).toEqual(first);
    expect(await all(withFaults(listedSource(events, true), shares, 1))).toEqual(first);
    expect(await faulty(events, shares, 2)).not.toEqual(first);
  });

  test('strike about as many as was asked for', async () => {
    const shares = { duplicates: 0.05, outOfOrder: 0.04, late: 0.03, drop: 0.02, malformed: 0.01 };
    const sent = await faulty(turns(10, 4_000), shares);
    for (const [fault, share] of Object.entries(shares)) {
      const struck = struckBy(sent, fault).length / 40_000;
      expect(struck, fault).toBeGreaterThan(share * 0.8);
      expect(struck, fault).toBeLessThan(share * 1.2);
    }
  });

  test('lose and invent nothing: every event once, and once more where it is called a duplicate', async () => {
    const shares = fc.record({
      duplicates: fc.integer({ min: 0, max: 20 }),
      outOfOrder: fc.integer({ min: 0, max: 20 }),
      late: fc.integer({ min: 0, max: 20 }),
      drop: fc.integer({ min: 0, max: 20 }),
      malformed: fc.integer({ min: 0, max: 20 }),
    });
    await fc.assert(
      fc.asyncProperty(
        shares,
        fc.nat(),
        fc.integer({ min: 1, max: 8 }),
        fc.integer({ min: 0, max: 60 }),
        async (percents, seed, devices, rounds) => {
          const parts = Object.fromEntries(
            Object.entries(percents).map(([fault, percent]) => [fault, percent / 100]),
          );
          const events = turns(devices, rounds);
          const sent = await faulty(events, parts, seed);
          const texts = (list: readonly PlannedEvent[]) => list.map(textOf).sort();
          const originals = sent.filter(({ fault }) => fault !== 'duplicates');
          expect(texts(originals)).toEqual(texts(events));
          const copies = struckBy(sent, 'duplicates').map(textOf);
          expect(new Set(copies).size).toBe(copies.length);
          // What nothing struck keeps its order, whatever moves around it.
          for (let device = 0; device < devices; device += 1) {
            const sound = countersOf(
              sent.filter(({ fault }) => fault === undefined),
              `d${device}`,
            );
            expect(sound).toEqual(sound.toSorted((a, b) => a - b));
          }
        },
      ),
      { numRuns: 150 },
    );
  });

  test('are due when what lets them out is due, so that the schedule never goes back', async () => {
    const sent = await faulty(turns(4, 500), { outOfOrder: 0.2, late: 0.2, duplicates: 0.2 });
    const due = sent.map(({ dueMs }) => dueMs ?? 0);
    expect(due).toEqual(due.toSorted((a, b) => a - b));
  });
});

describe('an event out of order', () => {
  test('is sent right after the next one of its device', async () => {
    const sent = await faulty(turns(3, 400), { outOfOrder: 0.05 });
    const struck = struckBy(sent, 'outOfOrder');
    expect(struck.length).toBeGreaterThan(30);
    for (const { deviceId, counter = 0 } of struck) {
      const counters = countersOf(sent, deviceId);
      const place = counters.indexOf(counter);
      const earlier = counters.slice(0, place);
      expect(Math.max(...earlier)).toBeGreaterThan(counter);
    }
  });

  test('is no fault when its device says nothing more', async () => {
    const sent = await faulty(turns(50, 1), { outOfOrder: 1 });
    expect(sent.map(({ deviceId }) => deviceId)).toEqual(turns(50, 1).map(({ deviceId }) => deviceId));
    expect(struckBy(sent, 'outOfOrder')).toEqual([]);
  });
});

describe('a late event', () => {
  test('is sent after 2 to 16 later ones of its device, or at the end', async () => {
    const sent = await faulty(turns(2, 2_000), { late: 0.02 });
    const struck = struckBy(sent, 'late');
    const overtaken = struck.map(({ deviceId, counter = 0 }) => {
      const counters = countersOf(sent, deviceId);
      return counters.slice(0, counters.indexOf(counter)).filter((earlier) => earlier > counter).length;
    });
    expect(struck.length).toBeGreaterThan(40);
    expect(Math.max(...overtaken)).toBeGreaterThan(10);
    // Late ones that are let out together may count each other.
    expect(Math.max(...overtaken)).toBeLessThan(25);
    expect(overtaken.filter((count) => count < 2).length).toBeLessThanOrEqual(4);
  });
});

describe('a duplicate', () => {
  test('is the same event again, after the first', async () => {
    const sent = await faulty(turns(2, 500), { duplicates: 0.1 });
    for (const copy of struckBy(sent, 'duplicates')) {
      const first = sent.findIndex((event) => textOf(event) === textOf(copy) && event.fault === undefined);
      expect(first).toBeGreaterThanOrEqual(0);
      expect(first).toBeLessThan(sent.indexOf(copy));
    }
  });
});

describe('a malformed event', () => {
  test('keeps what it was, and says what is sent and how it must be rejected', async () => {
    const sent = await faulty(turns(1, 50), { malformed: 1 });
    expect(sent).toHaveLength(50);
    for (const { damaged, fault } of sent) {
      expect(fault).toBe('malformed');
      expect(damaged?.bytes).toBeInstanceOf(Uint8Array);
    }
  });
});

describe('what is held back', () => {
  test('is bounded: the device that waits longest goes first', async () => {
    const events = Array.from({ length: HELD_EVENTS_MAX + 10 }, (_, index) => planned(`d${index}`, 1));
    const source = withFaults(listedSource(events), { ...NO_FAULTS, late: 1 }, 1);
    const first = await source.next();
    expect(first?.deviceId).toBe('d0');
    expect((await all(source)).length).toBe(HELD_EVENTS_MAX + 9);
  });

  test('closes the source it reads', async () => {
    const source = listedSource([]);
    await withFaults(source, NO_FAULTS, 1).close();
    expect(source.isClosed()).toBe(true);
  });
});
