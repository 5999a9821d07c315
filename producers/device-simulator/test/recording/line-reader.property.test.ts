import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeBytes, LINE_BYTES_MAX, type Line, readLines } from '../../src/recording/line-reader.ts';

async function* chunksOf(bytes: Uint8Array, sizes: readonly number[]): AsyncGenerator<Uint8Array> {
  let at = 0;
  for (const size of sizes) {
    yield bytes.subarray(at, at + size);
    at += size;
  }
  yield bytes.subarray(at);
}

async function linesOf(text: string | Uint8Array, sizes: readonly number[] = []): Promise<readonly Line[]> {
  const bytes = typeof text === 'string' ? Buffer.from(text) : text;
  const lines: Line[] = [];
  for await (const batch of readLines(chunksOf(bytes, sizes))) lines.push(...batch);
  return lines;
}

describe('lines', () => {
  test('are the same however the file is cut into chunks', async () => {
    const texts = fc.string({ unit: 'grapheme' }).map((text) => text.replace(/[\r\n]/g, ' '));
    await fc.assert(
      fc.asyncProperty(
        fc.array(texts, { minLength: 1 }),
        fc.constantFrom('\n', '\r\n'),
        fc.array(fc.nat(7)),
        fc.boolean(),
        async (lines, lineEnd, sizes, hasLastEnd) => {
          const text = lines.join(lineEnd) + (hasLastEnd ? lineEnd : '');
          const expected = hasLastEnd || lines.at(-1) !== '' ? lines : lines.slice(0, -1);
          const read = await linesOf(`\ufeff${text}`, sizes);
          expect(read.map(({ bytes = '' }) => decodeBytes(bytes))).toEqual(expected);
          expect(read.map(({ number }) => number)).toEqual(expected.map((_, index) => index + 1));
        },
      ),
    );
  });

  test('that are too long are passed over without being held, and the next is read', async () => {
    const long = 'x'.repeat(LINE_BYTES_MAX + 1);
    const read = await linesOf(`a\n${long}\nb\n${long}`, new Array(40).fill(100_000));
    expect(read.map(({ bytes }) => bytes)).toEqual(['a', undefined, 'b', undefined]);
    expect(read.map(({ number }) => number)).toEqual([1, 2, 3, 4]);
  });

  test('of the greatest length are read', async () => {
    const [line] = await linesOf('y'.repeat(LINE_BYTES_MAX), [LINE_BYTES_MAX - 1]);
    expect(line?.bytes?.length).toBe(LINE_BYTES_MAX);
  });

  test('of an empty file are none', async () => {
    expect(await linesOf('')).toEqual([]);
    expect(await linesOf('\ufeff')).toEqual([]);
  });

  test('that are not UTF-8 are known for it', async () => {
    const [line] = await linesOf(Uint8Array.of(0x61, 0xff, 0x62));
    expect(decodeBytes(line?.bytes ?? '')).toBeUndefined();
  });
});
