import {
  contains,
  evenRanges,
  HASH_KEY_MAX,
  hashKey,
  hashKeyHex,
  parseHashKey,
  toHashKeyHex,
} from '@twinstream/stream-model';
import { expect, test } from 'vitest';

test('the hash key of a partition key is its MD5 as an unsigned number', () => {
  // md5sum of "device-1" and of nothing, as coreutils gives them.
  expect(hashKeyHex('device-1')).toBe('d111f50a599b0a9fe3ef9e1c6b68ec88');
  expect(hashKey('device-1')).toBe(0xd111f50a599b0a9fe3ef9e1c6b68ec88n);
  expect(hashKeyHex('')).toBe('d41d8cd98f00b204e9800998ecf8427e');
});

test('a partition key is hashed as UTF-8', () => {
  expect(hashKeyHex('Zähler-№7')).toBe('c4138437454c03f6cae839dadf23ddd4');
});

test('a range holds its ends and nothing beyond', () => {
  const range = { start: 10n, end: 20n };
  expect([9n, 10n, 20n, 21n].map((key) => contains(range, key))).toEqual([false, true, true, false]);
});

test('three even ranges meet without a gap, and the last takes the remainder', () => {
  const ranges = evenRanges(3);
  expect(ranges[0]?.start).toBe(0n);
  expect(ranges[1]?.start).toBe((ranges[0]?.end ?? 0n) + 1n);
  expect(ranges[2]?.start).toBe((ranges[1]?.end ?? 0n) + 1n);
  expect(ranges[2]?.end).toBe(HASH_KEY_MAX);
  // CreateStream with three shards, as AWS answers it.
  expect(ranges[0]?.end).toBe(113427455640312821154458202477256070484n);
});

test.each([0, -1, 1.5, Number.NaN])('%s is no count of ranges', (count) => {
  expect(() => evenRanges(count)).toThrow(new RangeError(`not a count of ranges: ${count}`));
});

test('one even range holds every hash key', () => {
  expect(evenRanges(1)).toEqual([{ start: 0n, end: HASH_KEY_MAX }]);
});

test.each([
  ['0', 0n],
  ['340282366920938463463374607431768211455', HASH_KEY_MAX],
])('%s is an explicit hash key', (text, key) => {
  expect(parseHashKey(text)).toBe(key);
});

test.each(['', '-1', '01', '1.0', ' 1', '0x10', '340282366920938463463374607431768211456', '9'.repeat(40)])(
  '%j is no explicit hash key',
  (text) => {
    expect(parseHashKey(text)).toBeUndefined();
  },
);

test('hash keys as text are in the order of the numbers', () => {
  const keys = [0n, 1n, 255n, 2n ** 64n, HASH_KEY_MAX - 1n, HASH_KEY_MAX];
  expect(keys.map(toHashKeyHex).sort()).toEqual(keys.map(toHashKeyHex));
  expect(toHashKeyHex(255n)).toBe('000000000000000000000000000000ff');
});
