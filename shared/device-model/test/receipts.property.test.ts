import {
  COMPLETE_RECEIPT_LIMITS,
  copyReceipts,
  gapChange,
  lookUp,
  noReceipts,
  type Receipts,
  receive,
} from '@twinstream/device-model';
import fc from 'fast-check';
import { expect, test } from 'vitest';

const identity = fc.record({ session: fc.nat(3), counter: fc.nat(12) });
const identities = fc.array(identity, { maxLength: 60, size: 'max' });
const limits = fc.record({
  sessionsMax: fc.integer({ min: 1, max: 3 }),
  rangesMax: fc.integer({ min: 1, max: 3 }),
  correctionsMax: fc.constant(1),
  marksMax: fc.constant(1),
  attributeNameBytesMax: fc.constant(1),
});
const everyIdentity = [0, 1, 2, 3, 4].flatMap((session) =>
  Array.from({ length: 14 }, (_, counter) => ({ session, counter })),
);
const keyOf = ({ session, counter }: { session: number; counter: number }) => `${session}.${counter}`;

/** Highest - lowest + 1 - received, over all sessions: the definition. */
function gapsOf(received: ReadonlySet<string>): number {
  let gaps = 0;
  for (const session of [0, 1, 2, 3]) {
    const counters = [...received]
      .filter((key) => key.startsWith(`${session}.`))
      .map((key) => Number(key.split('.')[1]));
    if (counters.length > 0) gaps += Math.max(...counters) - Math.min(...counters) + 1 - counters.length;
  }
  return gaps;
}

test('complete receipts are the set of what was received', () => {
  fc.assert(
    fc.property(identities, (list) => {
      const receipts = noReceipts();
      const received = new Set<string>();
      for (const each of list) {
        receive(receipts, each, COMPLETE_RECEIPT_LIMITS);
        received.add(keyOf(each));
      }
      for (const each of everyIdentity) {
        expect(lookUp(receipts, each)).toBe(received.has(keyOf(each)) ? 'received' : 'new');
      }
    }),
  );
});

test('bounded receipts never say a wrong thing: they are right, or do not know', () => {
  let unknowns = 0;
  fc.assert(
    fc.property(identities, limits, (list, bounds) => {
      const receipts = noReceipts();
      const received = new Set<string>();
      for (const each of list) {
        receive(receipts, each, bounds);
        received.add(keyOf(each));
        for (const asked of everyIdentity) {
          const answer = lookUp(receipts, asked);
          if (answer === 'unknown') unknowns += 1;
          else expect(answer).toBe(received.has(keyOf(asked)) ? 'received' : 'new');
        }
      }
    }),
  );
  expect(unknowns).toBeGreaterThan(0);
});

test('bounded receipts stay within their bounds, their ranges rise and never touch, and their floors only rise', () => {
  const floorsOf = ({ sessions, sessionFloor = -1 }: Receipts) =>
    new Map<number | 'sessions', number>([
      ['sessions', sessionFloor],
      ...[...sessions].map(([session, { floor = -1 }]): [number, number] => [session, floor]),
    ]);
  fc.assert(
    fc.property(identities, limits, (list, bounds) => {
      const receipts = noReceipts();
      let before = floorsOf(receipts);
      for (const each of list) {
        receive(receipts, each, bounds);
        expect(receipts.sessions.size).toBeLessThanOrEqual(bounds.sessionsMax);
        for (const { ranges, floor = -1 } of receipts.sessions.values()) {
          expect(ranges.length).toBeGreaterThan(0);
          expect(ranges.length).toBeLessThanOrEqual(bounds.rangesMax);
          let last = floor;
          for (const [index, range] of ranges.entries()) {
            expect(range.first).toBeGreaterThan(index === 0 ? last : last + 1);
            expect(range.last).toBeGreaterThanOrEqual(range.first);
            last = range.last;
          }
        }
        const after = floorsOf(receipts);
        for (const [name, floor] of before) {
          if (after.has(name)) expect(after.get(name)).toBeGreaterThanOrEqual(floor);
        }
        before = after;
      }
    }),
  );
});

test('the newest counter of a session that is remembered is never forgotten', () => {
  fc.assert(
    fc.property(identities, limits, (list, bounds) => {
      const receipts = noReceipts();
      for (const each of list) receive(receipts, each, bounds);
      for (const [session, { highest }] of receipts.sessions) {
        expect(lookUp(receipts, { session, counter: highest })).toBe('received');
      }
    }),
  );
});

test('the changes of gaps add up to highest - lowest + 1 - received', () => {
  fc.assert(
    fc.property(identities, (list) => {
      const receipts = noReceipts();
      const received = new Set<string>();
      let gaps = 0;
      for (const each of list) {
        if (lookUp(receipts, each) === 'new') gaps += gapChange(receipts, each);
        receive(receipts, each, COMPLETE_RECEIPT_LIMITS);
        received.add(keyOf(each));
        expect(gaps).toBe(gapsOf(received));
      }
    }),
  );
});

test('the order of receiving leaves no trace in complete receipts', () => {
  fc.assert(
    fc.property(
      identities.chain((list) =>
        fc.tuple(fc.constant(list), fc.shuffledSubarray(list, { minLength: list.length })),
      ),
      ([list, shuffled]) => {
        const receiptsOf = (order: readonly { session: number; counter: number }[]) => {
          const receipts = noReceipts();
          for (const each of order) receive(receipts, each, COMPLETE_RECEIPT_LIMITS);
          return copyReceipts(receipts);
        };
        expect(receiptsOf(shuffled)).toEqual(receiptsOf(list));
      },
    ),
  );
});
