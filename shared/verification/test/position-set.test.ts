import { sequenceNumber, shardId } from '@twinstream/stream-model';
import { expect, test } from 'vitest';
import { PositionSet } from '../src/position-set.ts';

const position = (at: number, sub = 0) => ({
  shardId: shardId(`shardId-00000000000${at % 4}`),
  sequenceNumber: sequenceNumber(`4959033827149${at}00000000000000000${at % 4}`),
  subSequenceNumber: sub,
});

test('a set of positions forgets none, through every growth, and claims no other', () => {
  const set = new PositionSet();
  const count = 120_000;
  // Half a million expectations would take ten times as long as the set.
  const wrong: number[] = [];
  for (let at = 0; at < count; at += 1) if (!set.add(position(at))) wrong.push(at);
  expect(set.size).toBe(count);
  for (let at = 0; at < count; at += 1) {
    if (!set.has(position(at)) || set.has(position(at, 1))) wrong.push(at);
  }
  expect(wrong).toEqual([]);
  expect(set.add(position(7))).toBe(false);
  expect(set.size).toBe(count);
});
