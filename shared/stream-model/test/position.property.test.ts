import {
  comparePositions,
  compareSequenceNumbers,
  compareWithinShard,
  fromSortableSequenceNumber,
  positionKey,
  type SequenceNumber,
  sequenceNumber,
  shardId,
  sortableSequenceNumber,
} from '@twinstream/stream-model';
import fc from 'fast-check';
import { expect, test } from 'vitest';

const numbers = fc.bigInt(0n, 10n ** 129n - 1n);
const asText = (number: bigint): SequenceNumber => sequenceNumber(String(number));

test('sequence numbers are ordered as the numbers they are', () => {
  fc.assert(
    fc.property(numbers, numbers, (a, b) => {
      expect(Math.sign(compareSequenceNumbers(asText(a), asText(b)))).toBe(a < b ? -1 : a > b ? 1 : 0);
    }),
  );
});

test('sortable texts are ordered as their sequence numbers, and give them back', () => {
  fc.assert(
    fc.property(numbers, numbers, (a, b) => {
      const [left, right] = [sortableSequenceNumber(asText(a)), sortableSequenceNumber(asText(b))];
      expect(left < right).toBe(a < b);
      expect(fromSortableSequenceNumber(left)).toBe(asText(a));
    }),
  );
});

test('within a shard the sub-sequence number decides among entries of one record', () => {
  fc.assert(
    fc.property(numbers, numbers, fc.nat(), fc.nat(), (a, b, subA, subB) => {
      const order = compareWithinShard(
        { sequenceNumber: asText(a), subSequenceNumber: subA },
        { sequenceNumber: asText(b), subSequenceNumber: subB },
      );
      const expected = a === b ? Math.sign(subA - subB) : a < b ? -1 : 1;
      expect(Math.sign(order)).toBe(expected);
    }),
  );
});

test('two positions have one key only when they are one', () => {
  const position = fc.record({
    shardId: fc.constantFrom('shardId-1', 'shardId-11').map(shardId),
    sequenceNumber: fc.bigInt(0n, 20n).map(asText),
    subSequenceNumber: fc.nat(20),
  });
  fc.assert(
    fc.property(position, position, (a, b) => {
      const isSame =
        a.shardId === b.shardId &&
        a.sequenceNumber === b.sequenceNumber &&
        a.subSequenceNumber === b.subSequenceNumber;
      expect(positionKey(a) === positionKey(b)).toBe(isSame);
    }),
  );
});

test('positions of a stream are ordered by shard, and then by their place in it', () => {
  const at = (shard: string, number: bigint, subSequenceNumber: number) => ({
    shardId: shardId(shard),
    sequenceNumber: asText(number),
    subSequenceNumber,
  });
  const ordered = [at('a', 9n, 0), at('a', 10n, 0), at('a', 10n, 1), at('b', 1n, 0), at('b', 1n, 2)];
  for (const [index, one] of ordered.entries()) {
    for (const [other, another] of ordered.entries()) {
      expect(Math.sign(comparePositions(one, another))).toBe(Math.sign(index - other));
    }
  }
});
