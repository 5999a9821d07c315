import { newDevice, PAGE_LIMITS, planPage } from '@twinstream/device-model';
import { sequenceNumber, shardId } from '@twinstream/stream-model';
import { describe, expect, test } from 'vitest';
import {
  A,
  arrived,
  B,
  C,
  corrected,
  counted,
  DEVICE,
  historyOf,
  openChain,
  TINY_LIMITS,
  uncounted,
  valuesOf,
} from './device-chain.ts';

const speed = (value: number | null) => ({ data: { speed: value } });
const none = { applied: 0, late: 0, duplicate: 0, redelivered: 0 };
const withMarks = (marksMax: number) => ({ ...PAGE_LIMITS, receipts: { ...PAGE_LIMITS.receipts, marksMax } });

describe('a page', () => {
  test('is laid out with everything that its fold and its key need', () => {
    const chain = openChain();
    chain.deliver(A, [arrived(5, counted(1, 1, speed(10)), 500), arrived(7, counted(1, 1, speed(10)), 400)]);
    chain.deliver(B, [arrived(2, counted(1, 2, speed(20)), 450)]);
    expect(chain.pages).toMatchObject([
      {
        deviceId: DEVICE,
        page: 1,
        arrivalMaxBefore: 0,
        shardId: A,
        events: [{ arrivalTime: 500, version: { session: 1, counter: 1, ordinal: 0, revision: 0 } }],
        duplicates: 1,
        through: { sequenceNumber: '7', subSequenceNumber: 0 },
        throughArrivalTime: 400,
        firstArrivalTime: 400,
        lastArrivalTime: 500,
        heardTime: 500,
      },
      {
        page: 2,
        arrivalMaxBefore: 500,
        shardId: B,
        duplicates: 0,
        firstArrivalTime: 450,
        lastArrivalTime: 450,
      },
    ]);
    expect(chain.state).toMatchObject({ page: 2, arrivalMax: 500, lastArrivalTime: 500 });
  });

  test('holds no more events than it may, and the rest goes into the next', () => {
    const chain = openChain({ ...PAGE_LIMITS, eventsMax: 2 });
    chain.deliver(
      A,
      [1, 2, 3, 4, 5].map((n) => arrived(n, counted(1, n))),
    );
    expect(chain.pages.map(({ events }) => events.length)).toEqual([2, 2, 1]);
  });

  test('holds no more text than it may, but an event that alone is longer has a page', () => {
    const long = counted(1, 2, { data: { note: 'x'.repeat(1_000) } });
    const chain = openChain({ ...PAGE_LIMITS, charactersMax: 400 });
    chain.deliver(A, [
      arrived(1, counted(1, 1)),
      arrived(2, long),
      arrived(3, counted(1, 3)),
      arrived(4, counted(1, 4)),
    ]);
    expect(chain.pages.map(({ events }) => events.map(({ version }) => version.counter))).toEqual([
      [1],
      [2],
      [3, 4],
    ]);
  });

  test('without events is written for duplicates, so that their count, too, is a fold of pages', () => {
    const chain = openChain();
    chain.deliver(A, [arrived(1, counted(1, 1))]);
    chain.deliver(A, [arrived(2, counted(1, 1), 20), arrived(3, counted(1, 1), 30)]);
    expect(chain.pages[1]).toMatchObject({
      page: 2,
      events: [],
      duplicates: 2,
      through: { sequenceNumber: '3' },
    });
    expect(chain.state).toMatchObject({ counts: { events: 1, duplicates: 2 }, lastArrivalTime: 30 });
  });

  test('is planned against the state that is given, which stays as it was', () => {
    const state = newDevice(DEVICE);
    const plan = planPage(state, A, [arrived(1, counted(1, 1, speed(1)))]);
    expect(plan).toMatchObject({ kind: 'page', taken: 1, outcomes: { ...none, applied: 1 } });
    expect(state).toEqual(newDevice(DEVICE));
  });
});

describe('redelivery', () => {
  test('stores nothing, counts nothing and writes no page', () => {
    const chain = openChain();
    const batch = [arrived(1, counted(1, 1)), arrived(2, counted(1, 1)), arrived(3, counted(1, 2))];
    chain.deliver(A, batch);
    const before = chain.state;
    expect(chain.deliver(A, batch)).toEqual({ ...none, redelivered: 3 });
    expect(chain.state).toBe(before);
    expect(chain.pages.length).toBe(1);
  });

  test('of uncounted events is decided by the event store, and stores nothing', () => {
    const chain = openChain();
    const batch = [1, 2, 3].map((n) => arrived(n, uncounted(speed(n))));
    chain.deliver(A, batch);
    expect(chain.historyReads).toBe(0);
    expect(chain.deliver(A, [...batch, arrived(4, uncounted(speed(4)))])).toEqual({
      ...none,
      redelivered: 3,
      applied: 1,
    });
    expect(chain.historyReads).toBe(1);
    expect(chain.state.counts.events).toBe(4);
    expect(valuesOf(chain.state)).toEqual({ speed: 4 });
  });

  test('is told apart from a duplicate by the shard: equal sequence numbers of another shard are another place', () => {
    const chain = openChain();
    chain.deliver(A, [arrived(9, counted(1, 1))]);
    expect(chain.deliver(B, [arrived(9, counted(1, 1))])).toEqual({ ...none, duplicate: 1 });
    expect(chain.deliver(B, [arrived(9, counted(1, 1))])).toEqual({ ...none, redelivered: 1 });
  });

  test('compares sequence numbers as numbers and sub-sequence numbers within them', () => {
    const chain = openChain();
    const at = (number: string, subSequenceNumber: number) => ({
      ...arrived(1, counted(1, 1)),
      place: { sequenceNumber: sequenceNumber(number), subSequenceNumber },
    });
    chain.deliver(A, [at('99', 1)]);
    expect(chain.deliver(A, [at('99', 1)])).toEqual({ ...none, redelivered: 1 });
    expect(chain.deliver(A, [at('99', 2), at('100', 0)])).toEqual({ ...none, duplicate: 2 });
  });
});

describe('duplicates', () => {
  test('are counted once each, however far away their original is', () => {
    const chain = openChain(TINY_LIMITS);
    chain.deliver(
      A,
      [1, 3, 5, 7, 9].map((n) => arrived(n, counted(1, n))),
    );
    chain.deliver(A, [arrived(11, counted(2, 1))]);
    expect(chain.deliver(A, [arrived(12, counted(1, 1)), arrived(13, counted(1, 9))])).toEqual({
      ...none,
      duplicate: 2,
    });
    expect(chain.historyReads).toBeGreaterThan(0);
    expect(chain.state.counts).toMatchObject({ events: 6, duplicates: 2 });
  });

  test('within one batch are found, too', () => {
    const chain = openChain();
    const batch = [arrived(1, counted(1, 1)), arrived(2, counted(1, 1)), arrived(3, counted(1, 1))];
    expect(chain.deliver(A, batch)).toEqual({ ...none, applied: 1, duplicate: 2 });
  });

  test('a counter that begins again without a new session counts as duplicates', () => {
    const chain = openChain();
    chain.deliver(
      A,
      [0, 1, 2].map((n) => arrived(n + 1, counted(7, n, speed(n)))),
    );
    chain.deliver(
      A,
      [0, 1, 2].map((n) => arrived(n + 10, counted(7, n, speed(100 + n)))),
    );
    expect(chain.state.counts).toMatchObject({ events: 3, duplicates: 3 });
    expect(valuesOf(chain.state)).toEqual({ speed: 2 });
  });
});

describe('late events', () => {
  test('are stored at the tail, close their gap, and change only what they are newest for', () => {
    const chain = openChain();
    chain.deliver(A, [arrived(1, counted(1, 1, speed(1))), arrived(2, counted(1, 4, speed(4)))]);
    expect(chain.state.counts).toMatchObject({ gaps: 2 });
    expect(chain.deliver(A, [arrived(3, counted(1, 2, { data: { speed: 2, door: 'open' } }))])).toEqual({
      ...none,
      late: 1,
    });
    expect(chain.state.counts).toEqual({ events: 3, duplicates: 0, late: 1, gaps: 1 });
    expect(valuesOf(chain.state)).toEqual({ speed: 4, door: 'open' });
    expect(chain.pages[1]?.events[0]).toMatchObject({ late: { gapChange: -1 }, version: { counter: 2 } });
    expect(chain.state.current).toEqual({ session: 1, counter: 4 });
  });

  test('of an earlier session are late, whatever their counter', () => {
    const chain = openChain();
    chain.deliver(A, [arrived(1, counted(2, 0, speed(20)))]);
    expect(chain.deliver(A, [arrived(2, counted(1, 99, speed(1)))])).toEqual({ ...none, late: 1 });
    expect(valuesOf(chain.state)).toEqual({ speed: 20 });
  });

  test('that come before the first one known open the gap between', () => {
    const chain = openChain();
    chain.deliver(A, [arrived(1, counted(1, 5))]);
    chain.deliver(A, [arrived(2, counted(1, 2))]);
    expect(chain.state.counts).toMatchObject({ gaps: 2, late: 1 });
  });

  test('close gaps that the state has forgotten, exactly', () => {
    const chain = openChain(TINY_LIMITS);
    chain.deliver(
      A,
      [1, 4, 8, 12].map((n) => arrived(n, counted(1, n))),
    );
    expect(chain.state.counts.gaps).toBe(8);
    for (const [index, counter] of [2, 9, 3, 10, 11, 7, 6, 5].entries()) {
      chain.deliver(A, [arrived(20 + index, counted(1, counter))]);
      expect(chain.state.counts.gaps).toBe(7 - index);
    }
    expect(chain.state.counts).toMatchObject({ events: 12, duplicates: 0, late: 8, gaps: 0 });
  });
});

describe('uncounted events', () => {
  test('take the current session and counter and a running number as their stamp', () => {
    const chain = openChain();
    chain.deliver(A, [
      arrived(1, uncounted()),
      arrived(2, uncounted()),
      arrived(3, counted(3, 7)),
      arrived(4, uncounted()),
    ]);
    chain.deliver(B, [arrived(1, uncounted())]);
    expect(chain.pages.flatMap(({ events }) => events.map(({ version }) => version))).toEqual([
      { session: -1, counter: -1, ordinal: 1, revision: 0 },
      { session: -1, counter: -1, ordinal: 2, revision: 0 },
      { session: 3, counter: 7, ordinal: 0, revision: 0 },
      { session: 3, counter: 7, ordinal: 1, revision: 0 },
      { session: 3, counter: 7, ordinal: 2, revision: 0 },
    ]);
  });

  test('are newer than the counted event before them and older than the next', () => {
    const chain = openChain();
    chain.deliver(A, [arrived(1, counted(1, 1, speed(1))), arrived(2, uncounted(speed(2)))]);
    expect(valuesOf(chain.state)).toEqual({ speed: 2 });
    chain.deliver(A, [arrived(3, counted(1, 2, speed(3)))]);
    expect(valuesOf(chain.state)).toEqual({ speed: 3 });
  });

  test('below their mark that the event store does not hold are stored, with the stamp of their predecessor', () => {
    const chain = openChain();
    chain.deliver(A, [
      arrived(1, counted(1, 1, speed(1))),
      arrived(2, uncounted(speed(2))),
      arrived(9, uncounted(speed(9))),
    ]);
    expect(
      chain.deliver(A, [arrived(5, uncounted({ data: { speed: 5, door: 'open' } }))], { repaired: true }),
    ).toEqual({
      ...none,
      late: 1,
    });
    const position = { shardId: A, sequenceNumber: '5', subSequenceNumber: 0 };
    expect(chain.pages[1]?.events[0]).toMatchObject({
      repaired: true,
      late: { gapChange: 0 },
      version: { session: 1, counter: 1, ordinal: 1, revision: 0, position },
    });
    expect(valuesOf(chain.state)).toEqual({ speed: 9, door: 'open' });
    expect(chain.deliver(A, [arrived(5, uncounted(speed(5)))])).toEqual({ ...none, redelivered: 1 });
  });

  test('without a predecessor are older than anything', () => {
    const chain = openChain();
    chain.deliver(A, [arrived(9, uncounted(speed(9)))]);
    chain.deliver(A, [arrived(5, uncounted(speed(5)))], { repaired: true });
    expect(valuesOf(chain.state)).toEqual({ speed: 9 });
  });

  test('are not decided on a guess where the mark of their shard was dropped', () => {
    const chain = openChain(withMarks(1));
    chain.deliver(A, [arrived(1, uncounted(speed(1)), 100)]);
    chain.deliver(B, [arrived(1, uncounted(speed(2)), 200)]);
    expect(chain.state).toMatchObject({ marksFloor: 100 });
    expect([...chain.state.marks.keys()]).toEqual([B]);
    expect(chain.deliver(A, [arrived(1, uncounted(speed(1)), 100)])).toEqual({ ...none, redelivered: 1 });
    expect(chain.historyReads).toBe(1);
    expect(chain.deliver(A, [arrived(2, uncounted(speed(3)), 300)])).toEqual({ ...none, applied: 1 });
    expect(chain.historyReads).toBe(1);
  });

  test('are stored once also where arrivals of a shard whose mark was dropped went backward', () => {
    const chain = openChain(withMarks(1));
    const backward = [arrived(1, uncounted(speed(1)), 900), arrived(2, uncounted(speed(2)), 100)];
    chain.deliver(A, backward);
    chain.deliver(B, [arrived(1, uncounted(speed(3)), 1_000)]);
    expect(chain.deliver(A, backward)).toEqual({ ...none, redelivered: 2 });
    expect(chain.state.counts.events).toBe(3);
  });

  test('are stored once also where a dropped mark was set again, lower, by a repair', () => {
    const chain = openChain(withMarks(1));
    const highest = arrived(5, uncounted(speed(5)), 500);
    chain.deliver(A, [highest]);
    chain.deliver(B, [arrived(1, uncounted(speed(1)), 600)]);
    chain.deliver(A, [arrived(3, counted(1, 3, speed(3)), 300)], { repaired: true });
    chain.deliver(C, [arrived(1, uncounted(speed(1)), 700)]);
    chain.deliver(A, [arrived(4, counted(1, 4, speed(4)), 800)], { repaired: true });
    expect(chain.deliver(A, [highest])).toEqual({ ...none, redelivered: 1 });
    expect(chain.state.counts.events).toBe(5);
  });
});

describe('marks', () => {
  test('of the sixteen shards heard last are kept, and the floor says what was dropped', () => {
    const chain = openChain();
    for (let n = 0; n < 20; n += 1)
      chain.deliver(shardId(`shardId-${n}`), [arrived(1, uncounted(), 1_000 + n)]);
    expect(chain.state.marks.size).toBe(16);
    expect(chain.state.marks.has(shardId('shardId-3'))).toBe(false);
    expect(chain.state.marks.has(shardId('shardId-4'))).toBe(true);
    expect(chain.state.marksFloor).toBe(1_003);
  });

  test('never fall', () => {
    const chain = openChain();
    chain.deliver(A, [arrived(9, counted(1, 9))]);
    chain.deliver(A, [arrived(5, counted(1, 5))], { repaired: true });
    expect(chain.state.marks.get(A)).toMatchObject({ sequenceNumber: '9' });
  });

  test('of equal age are dropped in one order, in whatever order a store gave them back', () => {
    const chain = openChain(withMarks(2));
    chain.deliver(A, [arrived(1, uncounted(), 100)]);
    chain.deliver(B, [arrived(1, uncounted(), 100)]);
    const reversed = { ...chain.state, marks: new Map([...chain.state.marks].reverse()) };
    const next = (state: typeof chain.state) => {
      const plan = planPage(state, C, [arrived(1, uncounted(), 200)], { limits: withMarks(2) });
      return plan.kind === 'page' ? [...plan.next.marks.keys()].sort() : plan.kind;
    };
    expect(next(reversed)).toEqual(next(chain.state));
  });
});

describe('corrections', () => {
  test('set what they name, one revision above what they correct', () => {
    const chain = openChain();
    chain.deliver(A, [arrived(1, counted(1, 1, { data: { speed: 900, door: 'open' } }))]);
    expect(chain.deliver(A, [arrived(2, corrected('c-1', { speed: 9 }))])).toEqual({ ...none, applied: 1 });
    expect(valuesOf(chain.state)).toEqual({ speed: 9, door: 'open' });
    expect(chain.state.attributes.get('speed')?.version).toEqual({
      session: 1,
      counter: 1,
      ordinal: 0,
      revision: 1,
    });
  });

  test('that are sent again store nothing, and count as duplicates', () => {
    const chain = openChain();
    chain.deliver(A, [arrived(1, counted(1, 1, speed(900))), arrived(2, corrected('c-1', { speed: 9 }))]);
    expect(chain.deliver(A, [arrived(3, corrected('c-1', { speed: 9 }))])).toEqual({ ...none, duplicate: 1 });
    expect(chain.deliver(A, [arrived(3, corrected('c-1', { speed: 9 }))])).toEqual({
      ...none,
      redelivered: 1,
    });
    expect(chain.state.counts).toMatchObject({ events: 2, duplicates: 1 });
  });

  test('that the state has forgotten store nothing when they are sent again, and revisions go on', () => {
    const chain = openChain(TINY_LIMITS);
    chain.deliver(A, [arrived(1, counted(1, 1, speed(900)))]);
    for (const n of [2, 3, 4])
      chain.deliver(A, [arrived(n, corrected(`c-${n}`, { speed: n }, { session: 1, counter: 1 }))]);
    expect(chain.state.receipts).toMatchObject({ correctionsDropped: 2 });
    expect(chain.deliver(A, [arrived(5, corrected('c-2', { speed: 2 }))])).toEqual({ ...none, duplicate: 1 });
    chain.deliver(A, [arrived(6, corrected('c-6', { speed: 6 }, { session: 1, counter: 1 }))]);
    expect(chain.state.attributes.get('speed')).toMatchObject({ value: 6, version: { revision: 4 } });
  });

  test('of one target take rising revisions, the later one prevails', () => {
    const chain = openChain();
    const target = { session: 1, counter: 1 };
    chain.deliver(A, [
      arrived(1, counted(1, 1, speed(1))),
      arrived(2, corrected('x', { speed: 2 }, target)),
      arrived(3, corrected('y', { speed: 3 }, target)),
      arrived(4, corrected('z', { speed: 4 }, { session: 1, counter: 0 })),
    ]);
    expect(chain.pages[0]?.events.map(({ version }) => version.revision)).toEqual([0, 1, 2, 1]);
    expect(valuesOf(chain.state)).toEqual({ speed: 3 });
  });

  test('without a target correct the newest version among the attributes they set', () => {
    const chain = openChain();
    chain.deliver(A, [
      arrived(1, counted(1, 1, { data: { speed: 1, door: 'open' } })),
      arrived(2, counted(1, 2, { data: { door: 'shut' } })),
      arrived(3, counted(1, 3, { data: { fuel: 50 } })),
      arrived(4, corrected('x', { speed: 5 })),
      arrived(5, corrected('y', { speed: 6, door: 'ajar' })),
      arrived(6, corrected('z', { unheard: true })),
    ]);
    expect(
      chain.pages[0]?.events.slice(3).map(({ version }) => `${version.counter}r${version.revision}`),
    ).toEqual([...['1r1', '2r1', '3r1']]);
    expect(valuesOf(chain.state)).toEqual({ speed: 6, door: 'ajar', fuel: 50, unheard: true });
  });

  test('of an uncounted event are newer than it and older than the next', () => {
    const chain = openChain();
    chain.deliver(A, [arrived(1, uncounted(speed(1))), arrived(2, corrected('x', { speed: 2 }))]);
    expect(valuesOf(chain.state)).toEqual({ speed: 2 });
    chain.deliver(A, [arrived(3, uncounted(speed(3)))]);
    expect(valuesOf(chain.state)).toEqual({ speed: 3 });
  });

  test('of an event older than what an attribute holds leave it as it is', () => {
    const chain = openChain();
    chain.deliver(A, [arrived(1, counted(1, 1, speed(1))), arrived(2, counted(1, 2, speed(2)))]);
    chain.deliver(A, [arrived(3, corrected('x', { speed: 99 }, { session: 1, counter: 1 }))]);
    expect(valuesOf(chain.state)).toEqual({ speed: 2 });
  });

  test('are no word of the device: neither status, nor last event time, nor last arrival, nor counters', () => {
    const chain = openChain();
    chain.deliver(A, [arrived(1, counted(1, 1, { type: 'connected', time: '2026-01-01T00:00:00Z' }))]);
    const before = chain.state;
    chain.deliver(A, [arrived(2, corrected('x', { speed: 1 }), 999)]);
    const { status, lastEventTime, lastArrivalTime, current, receipts, arrivalMax } = chain.state;
    expect({ status, lastEventTime, lastArrivalTime, current }).toEqual({
      status: before.status,
      lastEventTime: before.lastEventTime,
      lastArrivalTime: before.lastArrivalTime,
      current: before.current,
    });
    expect(receipts.sessions).toEqual(before.receipts.sessions);
    expect(arrivalMax).toBe(999);
    expect(chain.pages[1]).not.toHaveProperty('heardTime');
  });
});

describe('a plan that needs the history', () => {
  test('says so, and is the same as without it where it does not', () => {
    const chain = openChain();
    const batch = [arrived(1, counted(1, 1)), arrived(2, uncounted(speed(1)))];
    chain.deliver(A, batch);
    const again = [...batch, arrived(3, counted(1, 2))];
    expect(planPage(chain.state, A, again)).toEqual({ kind: 'history-needed' });
    const fresh = [arrived(3, counted(1, 2))];
    const withHistory = planPage(chain.state, A, fresh, { history: historyOf(chain.pages) });
    expect(withHistory).toEqual(planPage(chain.state, A, fresh));
  });
});
