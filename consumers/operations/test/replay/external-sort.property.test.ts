import { readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { externalSort, type SortableLine } from '../../src/replay/sources/external-sort.ts';

const signal = new AbortController().signal;
const keyOf = (line: string) => Number(line.split(' ')[0]);
const compare = (a: number, b: number) => a - b;

async function* linesOf(keys: readonly number[]): AsyncGenerator<SortableLine<number>> {
  for (const key of keys) yield { key, line: `${key} line` };
}

function folders(): number {
  return readdirSync(tmpdir()).filter((name) => name.startsWith('twinstream-sort-')).length;
}

describe('lines in the order of their keys', () => {
  test('each key comes once and in order, however many runs go to disk and passes merge them', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.nat(500), { maxLength: 300 }),
        fc.integer({ min: 8, max: 400 }),
        fc.integer({ min: 2, max: 4 }),
        async (keys, runCharactersMax, mergeRunsMax) => {
          const sorted: number[] = [];
          for await (const { key, line } of externalSort(linesOf(keys), {
            compare,
            keyOf,
            runCharactersMax,
            mergeRunsMax,
            signal,
          })) {
            expect(line).toBe(`${key} line`);
            sorted.push(key);
          }
          expect(sorted).toEqual([...new Set(keys)].sort(compare));
        },
      ),
      { numRuns: 60 },
    );
  });

  test('nothing stays on disk, also where the reader stops early', async () => {
    const before = folders();
    const keys = Array.from({ length: 2_000 }, (_, index) => (index * 7_919) % 2_003);
    for await (const { key } of externalSort(linesOf(keys), {
      compare,
      keyOf,
      runCharactersMax: 500,
      signal,
    })) {
      if (key > 100) break;
    }
    expect(folders()).toBe(before);
  });
});
