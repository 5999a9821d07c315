import { readLines, type TextLine } from '@twinstream/runtime';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';

async function* inChunks(text: string, sizes: readonly number[]): AsyncGenerator<Uint8Array> {
  const bytes = Buffer.from(text);
  for (let [at, turn] = [0, 0]; at < bytes.length; turn += 1) {
    const size = sizes[turn % sizes.length] ?? 1;
    yield bytes.subarray(at, at + size);
    at += size;
  }
}

const linesOf = (text: string, sizes: readonly number[], lineBytesMax = 1_000): Promise<TextLine[]> =>
  Array.fromAsync(readLines(inChunks(text, sizes), { name: 'a text', lineBytesMax }));

describe('lines', () => {
  test('end with the byte \\n and with nothing else, wherever chunks are cut', async () => {
    const line = fc
      .string({ unit: 'grapheme', maxLength: 20 })
      .map((text) => text.replaceAll('\n', '\u2028'));
    const separators = fc.constantFrom('a\u2028b', '\u2029', '\r', '\u0085', '\uFEFF', '\u{1F68C}\v\f');
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.oneof(line, separators), { maxLength: 8 }),
        fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 5 }),
        async (texts, sizes) => {
          const found = await linesOf(texts.map((text) => `${text}\n`).join(''), sizes);
          expect(found).toEqual(texts.map((text, index) => ({ number: index + 1, text })));
        },
      ),
      { numRuns: 200 },
    );
  });

  test('the last of which needs no end', async () => {
    expect(await linesOf('one\n\ntwo', [2])).toEqual([
      { number: 1, text: 'one' },
      { number: 2, text: '' },
      { number: 3, text: 'two' },
    ]);
  });

  test('that are too long end the reading by name and number', async () => {
    expect(await linesOf('12345\n', [4], 5)).toHaveLength(1);
    await expect(linesOf('1\n123456\n', [4], 5)).rejects.toMatchObject({
      code: 'LINE_TOO_LONG',
      message: 'a text line 2 has more than 5 bytes',
    });
  });

  test('that are too long are passed over where asked for, without being held', async () => {
    const passedOver: number[] = [];
    const chunks = inChunks(`1\n${'x'.repeat(100)}\n3\n${'y'.repeat(100)}`, [7]);
    const lines = readLines(chunks, {
      name: 'a text',
      lineBytesMax: 5,
      onTooLong: (at) => passedOver.push(at),
    });
    expect((await Array.fromAsync(lines)).map(({ number }) => number)).toEqual([1, 3]);
    expect(passedOver).toEqual([2, 4]);
  });
});
