import {
  areComplete,
  COMPLETE_RECEIPT_LIMITS,
  copyReceipts,
  gapChange,
  lookUp,
  noReceipts,
  type Receipts,
  receive,
  receiveCorrection,
  STATE_RECEIPT_LIMITS,
} from '@twinstream/device-model';
import { describe, expect, test } from 'vitest';

const limits = {
  sessionsMax: 2,
  rangesMax: 2,
  correctionsMax: 2,
  marksMax: 2,
  attributeNameBytesMax: 256 * 1_024,
};

function receiptsOf(counters: readonly number[], session = 1): Receipts {
  const receipts = noReceipts();
  for (const counter of counters) receive(receipts, { session, counter }, limits);
  return receipts;
}

const look = (receipts: Receipts, counter: number, session = 1) => lookUp(receipts, { session, counter });

describe('receipts', () => {
  test('know what was received and what was not', () => {
    const receipts = receiptsOf([1, 2, 5]);
    expect([0, 1, 2, 3, 4, 5, 6].map((counter) => look(receipts, counter))).toEqual([
      ...['new', 'received', 'received', 'new', 'new', 'received', 'new'],
    ]);
    expect(look(receipts, 1, 2)).toBe('new');
  });

  test('are one range in the steady state', () => {
    const receipts = receiptsOf(Array.from({ length: 1_000 }, (_, counter) => counter));
    expect(receipts.sessions.get(1)).toEqual({ lowest: 0, highest: 999, ranges: [{ first: 0, last: 999 }] });
    expect(areComplete(receipts)).toBe(true);
  });

  test('join ranges when the counter between them comes', () => {
    expect(receiptsOf([1, 3, 2]).sessions.get(1)?.ranges).toEqual([{ first: 1, last: 3 }]);
  });

  test('forget the oldest range first, and know that they did', () => {
    const receipts = receiptsOf([1, 3, 5]);
    expect(receipts.sessions.get(1)?.floor).toBe(1);
    expect(areComplete(receipts)).toBe(false);
    expect(look(receipts, 1)).toBe('unknown');
    expect(look(receipts, 0)).toBe('new');
    expect(look(receipts, 2)).toBe('new');
    expect(look(receipts, 3)).toBe('received');
  });

  test('never lower the floor, and enter nothing at or below it', () => {
    const receipts = receiptsOf([10, 20, 30, 40, 5]);
    expect(receipts.sessions.get(1)).toMatchObject({ floor: 20, lowest: 5 });
    expect(look(receipts, 5)).toBe('unknown');
    expect(look(receipts, 4)).toBe('new');
  });

  test('forget the oldest session first, and know that they did', () => {
    const receipts = noReceipts();
    for (const session of [3, 4, 5]) receive(receipts, { session, counter: 1 }, limits);
    expect(receipts.sessionFloor).toBe(3);
    expect([2, 3].map((session) => look(receipts, 1, session))).toEqual(['unknown', 'unknown']);
    expect([4, 5, 6].map((session) => look(receipts, 1, session))).toEqual(['received', 'received', 'new']);
  });

  test('forget a session that comes late rather than a newer one', () => {
    const receipts = noReceipts();
    for (const session of [4, 5, 3, 3]) receive(receipts, { session, counter: 1 }, limits);
    expect([...receipts.sessions.keys()]).toEqual([4, 5]);
    expect(receipts.sessionFloor).toBe(3);
  });

  test('forget the oldest correction first, and count what they forgot', () => {
    const receipts = noReceipts();
    for (const correctionId of ['x', 'y', 'z']) {
      receiveCorrection(receipts, { correctionId, session: 1, counter: 1, ordinal: 0, revision: 1 }, limits);
    }
    expect(receipts.corrections.map(({ correctionId }) => correctionId)).toEqual(['y', 'z']);
    expect(receipts.correctionsDropped).toBe(1);
    expect(areComplete(receipts)).toBe(false);
  });

  test('share nothing with their copy', () => {
    const receipts = receiptsOf([1]);
    const copy = copyReceipts(receipts);
    receive(copy, { session: 1, counter: 2 }, limits);
    receive(copy, { session: 2, counter: 2 }, limits);
    expect(receipts).toEqual(receiptsOf([1]));
  });

  test('tell by how much a new counter changes the gaps of its session', () => {
    const receipts = receiptsOf([5, 9]);
    const change = (counter: number, session = 1) => gapChange(receipts, { session, counter });
    expect([10, 12, 7, 4, 2].map((counter) => change(counter))).toEqual([0, 2, -1, 0, 2]);
    expect(change(100, 2)).toBe(0);
  });

  test('remember the current and the previous session, 64 ranges, 16 corrections and 16 marks in a state', () => {
    expect(STATE_RECEIPT_LIMITS).toEqual({
      sessionsMax: 2,
      rangesMax: 64,
      correctionsMax: 16,
      marksMax: 16,
      attributeNameBytesMax: 256 * 1_024,
    });
    expect(Object.values(COMPLETE_RECEIPT_LIMITS).every((limit) => limit === Number.POSITIVE_INFINITY)).toBe(
      true,
    );
  });
});
