import { createLogger, systemClock } from '@twinstream/runtime';
import { evenRanges, HASH_KEY_MAX } from '@twinstream/stream-model';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hashKeyOf, hashKeyText } from '../../src/kinesis/hash-key-text.ts';
import { uniformScaling } from '../../src/kinesis/resharding.ts';
import {
  endingSequenceNumber,
  type Shard,
  type Stream,
  startingSequenceNumber,
} from '../../src/kinesis/stream.ts';
import { StreamStore } from '../../src/kinesis/stream-store.ts';

function newStore(): StreamStore {
  return new StreamStore({
    dataDir: undefined,
    memoryBytesMax: 1024 * 1024,
    transitionMs: 0,
    clock: systemClock,
    random: Math.random,
    logger: createLogger('test', 'silent'),
  });
}

const rangeOf = ({ hashStart, hashEnd }: Shard) => ({ start: hashKeyOf(hashStart), end: hashKeyOf(hashEnd) });

/** Splits open shards at any keys at all, as owners do. */
function splitAt(store: StreamStore, stream: Stream, keys: readonly bigint[]): void {
  for (const key of keys) {
    const shard = stream.open.find(
      (candidate) => rangeOf(candidate).start < key && rangeOf(candidate).end >= key,
    );
    if (shard) store.reshard(stream, [{ kind: 'split', start: shard.hashStart, at: hashKeyText(key) }]);
  }
}

/** Boundaries may differ from even ones by rounding, never by as much as any record would notice. */
function expectEven(stream: Stream, count: number): void {
  expect(stream.open).toHaveLength(count);
  evenRanges(count).forEach(({ start }, index) => {
    const shard = stream.open[index];
    const difference = (shard ? rangeOf(shard).start : -1n) - start;
    expect(difference).toSatisfy((keys: bigint) => keys > -(2n ** 64n) && keys < 2n ** 64n);
  });
}

function expectSoundLineage(stream: Stream): void {
  const byIndex = new Map(stream.shards.map((shard) => [shard.index, shard]));
  expect(stream.shards.map(({ index }) => index)).toEqual(stream.shards.map((_, index) => index));
  for (const child of stream.shards) {
    const parents = [child.parentIndex, child.adjacentParentIndex]
      .filter((index) => index !== undefined)
      .map((index) => byIndex.get(index));
    for (const parent of parents) {
      expect(parent?.closedMs).toBe(child.startMs);
      expect(`${parent && endingSequenceNumber(parent)}` < startingSequenceNumber(child)).toBe(true);
    }
    const ranges = parents.map((parent) => parent && rangeOf(parent));
    const covered = ranges.some((range) => range && range.start <= rangeOf(child).start);
    if (parents.length > 0) expect(covered).toBe(true);
  }
  let next = 0n;
  for (const { start, end } of stream.open.map(rangeOf)) {
    expect(start).toBe(next);
    next = end + 1n;
  }
  expect(next).toBe(HASH_KEY_MAX + 1n);
}

describe('uniform scaling', () => {
  it('makes even shards of any, with sound lineage', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 12 }),
        fc.array(fc.bigInt({ min: 1n, max: HASH_KEY_MAX }), { maxLength: 10 }),
        fc.array(fc.integer({ min: 1, max: 24 }), { minLength: 1, maxLength: 3 }),
        (shardCount, cuts, targets) => {
          const store = newStore();
          const stream = store.create({
            name: 's',
            shardCount,
            mode: 'PROVISIONED',
            recordBytesMax: 1,
            tags: {},
          });
          splitAt(store, stream, cuts);
          for (const target of targets) {
            store.reshard(stream, uniformScaling(stream.open.map(rangeOf), target));
            expectEven(stream, target);
          }
          expectSoundLineage(stream);
          store.close();
        },
      ),
      { numRuns: 150 },
    );
  });

  it('doubles with one split a shard and halves with one merge a pair', () => {
    for (const count of [1, 2, 5, 16]) {
      const doubled = uniformScaling(evenRanges(count), count * 2);
      expect(doubled.map(({ kind }) => kind)).toEqual(Array(count).fill('split'));
      const halved = uniformScaling(evenRanges(count * 2), count);
      expect(halved.map(({ kind }) => kind)).toEqual(Array(count).fill('merge'));
    }
  });
});
