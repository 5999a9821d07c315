import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { externalSort, type SortableLine } from '@twinstream/runtime';
import * as fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';

const signal = new AbortController().signal;
const keyOf = (line: string) => Number(line.split(' ')[0]);
const compare = (a: number, b: number) => a - b;

async function* linesOf(keys: readonly number[]): AsyncGenerator<SortableLine<number>> {
  for (const key of keys) yield { key, line: `${key} line` };
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

  test('a line is what stands between line ends, whatever separators its text holds', async () => {
    const texts = ['1 a\u2028b', '2 a\u2029b', '3 a\rb', '4 \u0085'];
    const lines = async function* () {
      for (const line of texts.toReversed()) yield { key: keyOf(line), line };
    };
    const sorted = externalSort(lines(), { compare, keyOf, runCharactersMax: 6, signal });
    expect((await Array.fromAsync(sorted)).map(({ line }) => line)).toEqual(texts);
  });

  test('nothing stays on disk, also where the reader stops early', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'twinstream-sort-test-'));
    vi.stubEnv('TMPDIR', folder);
    const keys = Array.from({ length: 2_000 }, (_, index) => (index * 7_919) % 2_003);
    for await (const { key } of externalSort(linesOf(keys), {
      compare,
      keyOf,
      runCharactersMax: 500,
      signal,
    })) {
      if (key > 100) break;
    }
    expect(readdirSync(folder)).toEqual([]);
    vi.unstubAllEnvs();
    rmSync(folder, { recursive: true });
  });
});
