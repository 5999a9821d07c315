import {
  compareSequenceNumbers,
  fromSortableSequenceNumber,
  isSequenceNumber,
  sequenceNumber,
  sortableSequenceNumber,
} from '@twinstream/stream-model';
import { expect, test } from 'vitest';

test.each(['0', '1', '49590338271490256608559692538361571095921575989136588898', `1${'0'.repeat(128)}`])(
  '%s is a sequence number',
  (text) => {
    expect(isSequenceNumber(text)).toBe(true);
    expect(sequenceNumber(text)).toBe(text);
  },
);

test.each(['', '00', '01', '-1', '1e3', ' 1', '1\n', `1${'0'.repeat(129)}`, 'LATEST'])(
  '%j is no sequence number',
  (text) => {
    expect(isSequenceNumber(text)).toBe(false);
    expect(() => sequenceNumber(text)).toThrow(RangeError);
  },
);

test('a longer number is a later one, whatever its first digit', () => {
  expect(compareSequenceNumbers(sequenceNumber('9'), sequenceNumber('10'))).toBeLessThan(0);
});

test('numbers that a double would round to the same are told apart', () => {
  const [a, b] = ['9007199254740992', '9007199254740993'].map(sequenceNumber);
  if (a === undefined || b === undefined) throw new Error('two numbers');
  expect(Number(a)).toBe(Number(b));
  expect(compareSequenceNumbers(a, b)).toBeLessThan(0);
  expect(compareSequenceNumbers(b, a)).toBeGreaterThan(0);
  expect(compareSequenceNumbers(a, sequenceNumber('9007199254740992'))).toBe(0);
});

test('an error shows the beginning of a long text', () => {
  const long = 'x'.repeat(100_000);
  for (const read of [sequenceNumber, fromSortableSequenceNumber]) {
    expect(() => read(long)).toThrow(new RangeError(`not a sequence number: "${'x'.repeat(140)}"`));
  }
});

test('only what was made sortable is read back', () => {
  expect(fromSortableSequenceNumber(sortableSequenceNumber(sequenceNumber('42')))).toBe('42');
  for (const text of ['', '42', '003:42', '002:042', 'abc:42', '002-42']) {
    expect(() => fromSortableSequenceNumber(text)).toThrow(RangeError);
  }
});
