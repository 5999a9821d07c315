import { existsSync, mkdtempSync, readdirSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { externalSort, lineSorter, type SortableLine } from '@twinstream/runtime';
import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';

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

  describe('on disk', () => {
    let folder: string;
    beforeEach(() => {
      folder = mkdtempSync(join(tmpdir(), 'twinstream-sort-test-'));
      vi.stubEnv('TMPDIR', folder);
    });
    afterEach(() => {
      vi.unstubAllEnvs();
      rmSync(folder, { recursive: true });
    });
    /** Each of 503 keys twice, in no order. */
    const keys = Array.from({ length: 1_006 }, (_, index) => (index * 7_919) % 503);
    const filesOf = (path: string) => readdirSync(path, { recursive: true, withFileTypes: true });
    const runCount = () => filesOf(folder).filter((file) => file.isFile()).length;
    const openFiles = () =>
      readdirSync('/proc/self/fd').filter((fd) => {
        const path = join('/proc/self/fd', fd);
        return existsSync(path) && readlinkSync(path).startsWith(folder);
      });

    test.each([2, 3, 5, 8])(
      'runs are merged %i at a time, in as many passes as that takes',
      async (mergeRunsMax) => {
        const options = { compare, keyOf, runCharactersMax: 1_000, mergeRunsMax, signal };
        const sorted: number[] = [];
        for await (const { key, line } of externalSort(linesOf(keys), options)) {
          expect(line).toBe(`${key} line`);
          if (sorted.length === 0) expect(runCount()).toBeLessThanOrEqual(mergeRunsMax);
          sorted.push(key);
        }
        expect(sorted).toEqual(Array.from({ length: 503 }, (_, index) => index));
        expect(filesOf(folder)).toEqual([]);
        if (existsSync('/proc/self/fd')) expect(openFiles()).toEqual([]);
      },
    );

    test('a run of many lines is written whole, and lines that fill a run exactly are one', () => {
      const sorter = lineSorter({ compare, keyOf, runCharactersMax: 10_000, signal });
      for (let key = 0; key < 999; key += 1) sorter.add({ key, line: 'ten chars.' });
      expect(runCount()).toBe(0);
      sorter.add({ key: 999, line: 'ten chars.' });
      expect(runCount()).toBe(1);
      sorter.close();
      expect(filesOf(folder)).toEqual([]);
      sorter.close();
    });

    test('of more lines than are written together, none is lost', async () => {
      const many = Array.from({ length: 9_000 }, (_, index) => (index * 7_919) % 9_001);
      const options = { compare, keyOf, runCharactersMax: 50_000, mergeRunsMax: 2, signal };
      const sorted = await Array.fromAsync(externalSort(linesOf(many), options));
      expect(sorted.map(({ line }) => line)).toEqual(many.toSorted(compare).map((key) => `${key} line`));
    });

    test('nothing stays, also where the reader stops early', async () => {
      const options = { compare, keyOf, runCharactersMax: 500, signal };
      for await (const { key } of externalSort(linesOf(keys), options)) {
        if (key > 100) break;
      }
      expect(readdirSync(folder)).toEqual([]);
    });

    test('an abort ends the collecting and the merging, and nothing stays', async () => {
      const stop = new AbortController();
      const options = { compare, keyOf, runCharactersMax: 5_000, signal: stop.signal };
      const sorter = lineSorter(options);
      for (const key of keys) sorter.add({ key, line: `${key} line` });
      const sorted = sorter.sorted();
      expect((await sorted.next()).value).toEqual({ key: 0, line: '0 line' });
      stop.abort(new Error('enough'));
      await expect(Array.fromAsync(sorted)).rejects.toThrow('enough');
      expect(() => {
        for (const key of keys) sorter.add({ key, line: `${key} line` });
      }).toThrow('enough');
      sorter.close();
      expect(readdirSync(folder)).toEqual([]);
    });
  });
});
