import type {
  DeviceState,
  EventVersion,
  JsonValue,
  Receipts,
  VersionedValue,
} from '@twinstream/device-model';
import { memoryEventStore } from '@twinstream/event-store';
import { drawnChain, writeChain } from '@twinstream/event-store/contract/random-chain';
import { DEVICE, SHARDS, testSequenceNumber } from '@twinstream/test-kit';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formerStateItem, readAsFormerRelease } from '../contract/former-state-item.ts';
import { decodeState, stateItem } from '../src/state-item.ts';

const ordinal = fc.integer({ min: 0, max: 2 ** 53 - 1 });
const time = fc.integer({ min: 0, max: 9_999_999_999_999 });
const position = fc.record({
  shardId: fc.constantFrom(...SHARDS),
  sequenceNumber: fc.nat().map(testSequenceNumber),
  subSequenceNumber: fc.nat(),
});
const version: fc.Arbitrary<EventVersion> = fc
  .tuple(
    fc.integer({ min: -1 }),
    fc.integer({ min: -1 }),
    fc.nat({ max: 3 }),
    fc.nat({ max: 3 }),
    fc.option(position),
  )
  .map(([session, counter, k, revision, at]) => ({
    session,
    counter,
    ordinal: k,
    revision,
    ...(at === null ? {} : { position: at }),
  }));

/** Values as events bring them: DynamoDB has no -0 and no empty names, and attributes are never null. */
const name = fc.oneof(
  fc.string({ minLength: 1, maxLength: 20, unit: 'grapheme' }),
  fc.constantFrom('__proto__', '_____proto__', '7', '-1', 'constructor', 'toString', '["x"]', ' '),
);
const leaf = fc.oneof(
  fc.string({ unit: 'grapheme' }),
  fc.boolean(),
  fc.constant(null),
  fc.integer(),
  fc.double({ min: -1e100, max: 1e100, noNaN: true }).map((value) => (Math.abs(value) < 1e-100 ? 0 : value)),
);
const { value } = fc.letrec<{ value: JsonValue }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    leaf,
    fc.array(tie('value'), { maxLength: 3 }),
    fc.array(fc.tuple(name, tie('value')), { maxLength: 3 }).map((members) => Object.fromEntries(members)),
  ),
}));
const versionedValue: fc.Arbitrary<VersionedValue> = fc
  .tuple(version, value, fc.boolean())
  .map(([of, held, isRemoved]) =>
    isRemoved || held === null ? { version: of } : { value: held, version: of },
  );

const session = fc
  .record({
    steps: fc.array(fc.tuple(fc.integer({ min: 2, max: 50 }), fc.nat({ max: 50 })), { maxLength: 5 }),
    ordinal,
  })
  .map(({ steps }) => {
    const ranges: { first: number; last: number }[] = [];
    let at = -2;
    for (const [gap, length] of steps) {
      ranges.push({ first: at + gap, last: at + gap + length });
      at = at + gap + length;
    }
    return ranges;
  });
const receipts: fc.Arbitrary<Receipts> = fc.record({
  sessions: fc
    .uniqueArray(
      fc
        .tuple(ordinal, session, fc.nat(), fc.nat(), fc.option(fc.nat()))
        .map(
          ([id, ranges, lowest, highest, floor]): [
            number,
            Receipts['sessions'] extends Map<number, infer S> ? S : never,
          ] => [id, { lowest, highest, ranges, ...(floor === null ? {} : { floor }) }],
        ),
      { selector: ([id]) => id, maxLength: 3 },
    )
    .map((sessions) => new Map(sessions)),
  corrections: fc.array(
    fc
      .tuple(fc.string({ minLength: 1, unit: 'grapheme' }), fc.nat(), fc.nat(), fc.nat(), fc.nat())
      .map(([correctionId, of, counter, k, revision]) => ({
        correctionId,
        session: of,
        counter,
        ordinal: k,
        revision,
      })),
    { maxLength: 3 },
  ),
  correctionsDropped: fc.nat({ max: 2 }),
});

const anyState: fc.Arbitrary<DeviceState> = fc
  .record({
    page: ordinal,
    arrivalMax: time,
    attributes: fc.array(fc.tuple(name, versionedValue), { maxLength: 8 }).map((entries) => new Map(entries)),
    status: fc.record({ value: fc.constantFrom('connected', 'disconnected', 'unknown'), version }),
    marks: fc
      .array(position, { maxLength: 3 })
      .map((marks) => new Map(marks.map(({ shardId, ...place }) => [shardId, { ...place, arrivalTime: 7 }]))),
    current: fc.oneof(
      fc.constant({ session: -1, counter: -1 }),
      fc.record({ session: ordinal, counter: ordinal }),
    ),
    ordinal,
    receipts,
    counts: fc.record({ events: ordinal, duplicates: ordinal, late: ordinal, gaps: ordinal }),
    optional: fc.record(
      {
        lastEventTime: fc.record({ value: fc.constant('2026-11-02T08:00:00+01:00'), version }),
        lastArrivalTime: time,
        position,
        marksFloor: time,
        attributesFloor: version,
      },
      { requiredKeys: [] },
    ),
  })
  .map(({ optional, ...state }) => ({ deviceId: DEVICE, ...state, ...optional }));

describe('a state as an item', () => {
  it('comes back exactly, whatever it holds', () => {
    fc.assert(
      fc.property(anyState, (state) => {
        expect(decodeState(stateItem(state))).toEqual(state);
      }),
      { numRuns: 500 },
    );
  });

  it('comes to the same item again when it was read', () => {
    fc.assert(
      fc.property(anyState, (state) => {
        const item = stateItem(state);
        const members = Object.entries(item.attributes?.M ?? {}).toReversed();
        const read = decodeState({ ...item, attributes: { M: Object.fromEntries(members) } });
        expect(stateItem(read)).toEqual(item);
      }),
      { numRuns: 500 },
    );
  });

  it('is read by the release before as it is, or not at all, and what that wrote is read here', () => {
    let refused = 0;
    fc.assert(
      fc.property(anyState, (state) => {
        expect(readAsFormerRelease(formerStateItem(state))).toEqual(state);
        expect(decodeState(formerStateItem(state))).toEqual(state);
        try {
          expect(readAsFormerRelease(stateItem(state))).toEqual(state);
        } catch (error) {
          expect(error).toMatchObject({ code: 'DAMAGED_STATE' });
          refused += 1;
        }
      }),
      { numRuns: 500 },
    );
    expect(refused).toBeGreaterThan(0);
  });

  it('comes back exactly after every page of chains of every kind', async () => {
    await fc.assert(
      fc.asyncProperty(drawnChain, async (drawn) => {
        const { states } = await writeChain(memoryEventStore(), drawn, 0);
        for (const state of states) expect(decodeState(stateItem(state))).toEqual(state);
      }),
      { numRuns: 300 },
    );
  });
});
