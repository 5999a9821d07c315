import { sequenceNumber, shardId } from '@twinstream/stream-model';
import { expect, test } from 'vitest';
import { fingerprint, PositionSet } from '../src/position-set.ts';

const position = (at: number, sub = 0) => ({
  shardId: shardId('shardId-000000000000'),
  sequenceNumber: sequenceNumber(`4959033827149${at}000000000000000000`),
  subSequenceNumber: sub,
});

test('a set of positions forgets none, through every growth, and claims no other', () => {
  const set = new PositionSet(2);
  for (let at = 0; at < 200; at += 1) {
    expect(set.has(position(at))).toBe(false);
    expect(set.add(position(at))).toBe(true);
    expect(set.has(position(at))).toBe(true);
    expect(set.size).toBe(at + 1);
  }
  for (let at = 0; at < 200; at += 1) {
    expect(set.has(position(at))).toBe(true);
    expect(set.has(position(at, 1))).toBe(false);
    expect(set.add(position(at))).toBe(false);
  }
  expect(set.size).toBe(200);
});

test.each([
  ['first', 34_022, 39_946],
  ['second', 13_807, 32_370],
])('a set tells positions apart whose fingerprints have the same %s half and slot', (_half, one, other) => {
  const set = new PositionSet(2);
  set.add(position(one));
  expect(set.has(position(other))).toBe(false);
  expect(set.add(position(other))).toBe(true);
  expect(set.has(position(one))).toBe(true);
});

test.each([
  ['a', '501c2ba782c97901'],
  ['b', '459eda5bc254d2bf'],
  ['revenge', 'fbce64cc3b748385'],
  ['revenue', 'fb1d85148d13f93a'],
])(
  'the fingerprint of %s is the published hash, with the lowest bit of its first half set',
  (text, published) => {
    const [high, low] = fingerprint(text);
    const hash = (BigInt(low) << 32n) | BigInt(high);
    expect(hash).toBe(BigInt(`0x${published}`) | (1n << 32n));
  },
);
