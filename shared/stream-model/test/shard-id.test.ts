import { isShardId, shardId } from '@twinstream/stream-model';
import { expect, test } from 'vitest';

test.each(['shardId-000000000000', 'a', 'A.b_c-9', 'x'.repeat(128)])('%s is a shard id', (text) => {
  expect(isShardId(text)).toBe(true);
  expect(shardId(text)).toBe(text);
});

test.each(['', 'x'.repeat(129), 'shard id', 'shardId/0', 'shardId-0\n', 'ü'])('%j is no shard id', (text) => {
  expect(isShardId(text)).toBe(false);
  expect(() => shardId(text)).toThrow(RangeError);
});

test('an error shows the beginning of a long text', () => {
  expect(() => shardId('/'.repeat(100_000))).toThrow(new RangeError(`not a shard id: "${'/'.repeat(140)}"`));
});
