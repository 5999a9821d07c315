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

  test('of a window without what lies before it', () => {
    const old = state({ mark: '9', receipts: received(1, 4) });
    expect(lack(state({}), old, 1_001)).toBeUndefined();
    expect(lack(state({}), old, 1_000)).toContain('high-water mark');
  });
});
