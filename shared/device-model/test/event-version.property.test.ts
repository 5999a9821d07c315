import {
  compareVersions,
  type EventVersion,
  formatVersion,
  NO_VERSION,
  parseVersion,
} from '@twinstream/device-model';
import { sequenceNumber, shardId } from '@twinstream/stream-model';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

const position = fc.record({
  shardId: fc.constantFrom('shardId-000000000000', 'shardId-000000000001', 'x.1_-').map(shardId),
  sequenceNumber: fc.constantFrom('0', '9', '10', '9'.repeat(56)).map(sequenceNumber),
  subSequenceNumber: fc.nat(2),
});
const ordinal = fc.oneof(fc.nat(2), fc.maxSafeNat());
const version: fc.Arbitrary<EventVersion> = fc.record(
  {
    session: fc.oneof(fc.integer({ min: -1, max: 2 }), fc.maxSafeNat()),
    counter: fc.oneof(fc.integer({ min: -1, max: 2 }), fc.maxSafeNat()),
    ordinal,
    revision: ordinal,
    position,
  },
  { requiredKeys: ['session', 'counter', 'ordinal', 'revision'] },
);
const sign = (a: EventVersion, b: EventVersion) => Math.sign(compareVersions(a, b));

describe('versions', () => {
  test('are ordered totally: exactly one of older, same, newer', () => {
    fc.assert(
      fc.property(version, version, (a, b) => {
        expect(sign(a, b) + sign(b, a)).toBe(0);
        expect(sign(a, b) === 0).toBe(formatVersion(a) === formatVersion(b));
        expect(sign(a, a)).toBe(0);
      }),
      { numRuns: 3_000 },
    );
  });

  test('are ordered transitively', () => {
    fc.assert(
      fc.property(version, version, version, (a, b, c) => {
        const [x, y, z] = [a, b, c].sort(compareVersions) as [EventVersion, EventVersion, EventVersion];
        expect(sign(x, y)).toBeLessThanOrEqual(0);
        expect(sign(y, z)).toBeLessThanOrEqual(0);
        expect(sign(x, z)).toBeLessThanOrEqual(0);
      }),
      { numRuns: 3_000 },
    );
  });

  test('come back from their text', () => {
    fc.assert(
      fc.property(version, (original) => {
        expect(parseVersion(formatVersion(original))).toEqual(original);
      }),
    );
  });

  test('go by session, then counter, then ordinal, then revision, then position', () => {
    const place = { shardId: shardId('a'), sequenceNumber: sequenceNumber('9'), subSequenceNumber: 0 };
    const at = (session: number, counter: number, ordinal = 0, revision = 0) => ({
      session,
      counter,
      ordinal,
      revision,
    });
    const rising: EventVersion[] = [
      NO_VERSION,
      at(-1, -1, 1),
      at(0, 9, 9, 9),
      at(1, 0, 9, 9),
      at(1, 1, 0, 9),
      at(1, 1, 1, 0),
      at(1, 1, 1, 1),
      { ...at(1, 1, 1, 1), position: place },
      { ...at(1, 1, 1, 1), position: { ...place, subSequenceNumber: 1 } },
      { ...at(1, 1, 1, 1), position: { ...place, sequenceNumber: sequenceNumber('10') } },
      {
        ...at(1, 1, 1, 1),
        position: { ...place, shardId: shardId('b'), sequenceNumber: sequenceNumber('1') },
      },
      at(1, 1, 1, 2),
    ];
    for (const [index, one] of rising.entries()) {
      for (const [other, two] of rising.entries()) expect(sign(one, two)).toBe(Math.sign(index - other));
    }
  });

  test.each(['', '1', '1.', '1.2+', '1.2r', '1.2@a:1', '1.2@a:01:2x', 'a.b', ' 1.2', '1.2 '])(
    'are not read from %j',
    (text) => {
      expect(() => parseVersion(text)).toThrow(RangeError);
    },
  );
});
