import { type DeviceId, type DeviceState, newDevice, type Receipts } from '@twinstream/device-model';
import { sequenceNumber, shardId } from '@twinstream/stream-model';
import { describe, expect, test } from 'vitest';
import { lackOf, requirementOf } from '../../../src/replay/promotion/cover.ts';

const SHARD = shardId('shardId-000000000000');
const EMPTY = newDevice('bus-1' as DeviceId);

function state(overrides: Partial<DeviceState> & { readonly events?: number; readonly mark?: string }) {
  const { events = 0, mark, ...rest } = overrides;
  const at = { sequenceNumber: sequenceNumber(mark ?? '1'), subSequenceNumber: 0, arrivalTime: 1_000 };
  return {
    ...EMPTY,
    counts: { ...EMPTY.counts, events },
    ...(mark === undefined ? {} : { marks: new Map([[SHARD, at]]) }),
    ...rest,
  };
}

function received(first: number, last: number, floor?: number): Receipts {
  const known = { lowest: first, highest: last, ranges: [{ first, last }] };
  const sessions = new Map([[1, floor === undefined ? known : { ...known, floor }]]);
  return { sessions, corrections: [], correctionsDropped: 0 };
}

describe('a state covers another', () => {
  const lack = (held: DeviceState, inUse: DeviceState, heldFromMs = 0) =>
    lackOf(held, requirementOf(inUse, heldFromMs));

  test('that it equals', () => {
    const both = state({ events: 3, mark: '10', receipts: received(1, 3) });
    expect(lack(both, both)).toBeUndefined();
  });

  test('not with fewer events', () => {
    expect(lack(state({ events: 2 }), state({ events: 3 }))).toBe('2 of 3 events');
  });

  test('not with a lower high-water mark, compared as a number, or with none', () => {
    expect(lack(state({ mark: '9' }), state({ mark: '10' }))).toContain('high-water mark');
    expect(lack(state({ mark: '10' }), state({ mark: '9' }))).toBeUndefined();
    expect(lack(state({}), state({ mark: '9' }))).toContain('high-water mark');
  });

  test('where it has dropped a mark of that arrival, and not of a later one', () => {
    expect(lack(state({ marksFloor: 1_000 }), state({ mark: '9' }))).toBeUndefined();
    expect(lack(state({ marksFloor: 999 }), state({ mark: '9' }))).toContain('high-water mark');
  });

  test('not without a counter, although it has another event instead', () => {
    const held = state({ events: 3, receipts: received(1, 3) });
    expect(lack(held, state({ events: 3, receipts: received(1, 4) }))).toBe('event 1.4 was not received');
    expect(lack(state({}), state({ receipts: received(1, 4) }))).toBe('session 1 was not received');
    const above = state({ receipts: received(8, 9, 3) });
    expect(lack(above, state({ receipts: received(2, 9) }))).toBe('event 1.4 was not received');
    expect(lack(above, state({ receipts: received(8, 9) }))).toBeUndefined();
    expect(lack(above, state({ receipts: received(2, 3) }))).toBeUndefined();
  });

  test('not without a correction that it remembers none of', () => {
    const correction = { correctionId: 'c', session: 1, counter: 1, ordinal: 0, revision: 1 };
    const corrected = state({ receipts: { ...received(1, 1), corrections: [correction] } });
    expect(lack(state({ receipts: received(1, 1) }), corrected)).toBe('correction c was not received');
    const forgetful = { ...received(1, 1), correctionsDropped: 1 };
    expect(lack(state({ receipts: forgetful }), corrected)).toBeUndefined();
  });

  test('where it has forgotten the session, and not where it has forgotten only older ones', () => {
    const inUse = (...sessions: readonly number[]) =>
      state({
        receipts: {
          ...received(1, 1),
          sessions: new Map(
            sessions.map((id) => [id, { lowest: 1, highest: 1, ranges: [{ first: 1, last: 1 }] }]),
          ),
        },
      });
    const forgetful = state({ receipts: { ...received(1, 1), sessions: new Map(), sessionFloor: 4 } });
    expect(lack(forgetful, inUse(3, 4))).toBeUndefined();
    expect(lack(forgetful, inUse(4, 5))).toBe('session 5 was not received');
  });

  test.each([
    [
      'a counter between two ranges',
      [
        [1, 2],
        [5, 9],
      ],
      [2, 6],
      3,
    ],
    [
      'the end of its second range',
      [
        [1, 2],
        [5, 9],
      ],
      [5, 10],
      10,
    ],
    ['its first counter', [[2, 9]], [1, 9], 1],
    [
      'nothing of a range within its second',
      [
        [1, 2],
        [5, 9],
      ],
      [5, 9],
      undefined,
    ],
    [
      'nothing of one counter',
      [
        [1, 2],
        [5, 9],
      ],
      [5, 5],
      undefined,
    ],
    [
      'nothing of the last counter',
      [
        [1, 2],
        [5, 9],
      ],
      [9, 9],
      undefined,
    ],
  ] as const)('not without %s', (_, ranges, [first, last], counter) => {
    const held = ranges.map(([low, high]) => ({ first: low, last: high }));
    const sessions = new Map([[1, { lowest: 1, highest: 9, ranges: held }]]);
    const lacking = lack(
      state({ receipts: { ...received(1, 1), sessions } }),
      state({ receipts: received(first, last) }),
    );
    expect(lacking).toBe(counter === undefined ? undefined : `event 1.${counter} was not received`);
  });

  test('not without a range that comes after one it has', () => {
    const known = {
      lowest: 1,
      highest: 9,
      ranges: [
        { first: 1, last: 2 },
        { first: 5, last: 6 },
      ],
    };
    const inUse = state({ receipts: { ...received(1, 1), sessions: new Map([[1, known]]) } });
    expect(lack(state({ receipts: received(1, 4) }), inUse)).toBe('event 1.5 was not received');
  });

  test('by what follows its floor, and by nothing at or below it', () => {
    const held = state({ receipts: received(8, 9, 3) });
    expect(lack(held, state({ receipts: received(2, 4) }))).toBe('event 1.4 was not received');
    expect(lack(held, state({ receipts: received(1, 3) }))).toBeUndefined();
    expect(lack(held, state({ receipts: received(5, 9) }))).toBe('event 1.5 was not received');
  });

  test('not without the one correction that it lacks among several', () => {
    const correction = (correctionId: string) => ({
      correctionId,
      session: 1,
      counter: 1,
      ordinal: 0,
      revision: 1,
    });
    const stateWith = (...ids: readonly string[]) =>
      state({ receipts: { ...received(1, 1), corrections: ids.map(correction) } });
    expect(lack(stateWith('a', 'c'), stateWith('a', 'b', 'c'))).toBe('correction b was not received');
    expect(lack(stateWith('c', 'b', 'a'), stateWith('a', 'b', 'c'))).toBeUndefined();
  });

  test('not without one of several high-water marks, and names the shard and the position', () => {
    const other = shardId('shardId-000000000001');
    const at = (number: string) => ({
      ...{ sequenceNumber: sequenceNumber(number), subSequenceNumber: 0, arrivalTime: 1_000 },
    });
    const inUse = state({});
    const marks = new Map([
      [SHARD, at('5')],
      [other, at('12')],
    ]);
    expect(lack(state({ mark: '5' }), { ...inUse, marks })).toBe(
      'the high-water mark of shardId-000000000001 is not 12',
    );
    expect(lack({ ...inUse, marks }, { ...inUse, marks })).toBeUndefined();
  });

  test('of a window without what lies before it', () => {
    const old = state({ mark: '9', receipts: received(1, 4) });
    expect(lack(state({}), old, 1_001)).toBeUndefined();
    expect(lack(state({}), old, 1_000)).toContain('high-water mark');
  });
});
