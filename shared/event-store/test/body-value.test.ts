import { constants, zstdCompressSync } from 'node:zlib';
import { writeUnits } from '@twinstream/aws/dynamodb';
import { describe, expect, test } from 'vitest';
import { bodyText, bodyValue } from '../src/body-value.ts';

const BYTES_MAX = 1_000_000;
const BESIDE = 200;

/** Reports as vehicles send them, which compress, and of which the next differs from the last. */
function reports(count: number): string {
  return Array.from({ length: count }, (_, n) =>
    JSON.stringify({ v: 1, deviceId: 'bus-1', counter: n, speedMph: (n * 37) % 61, lat: 30 + (n * n) / 977 }),
  ).join('\n');
}
/** A text that does not compress to fewer write units. */
function noise(length: number): string {
  let seed = 1;
  return Array.from({ length }, () => {
    seed = (seed * 48_271) % 2_147_483_647;
    return String.fromCodePoint(0x4e00 + (seed % 20_000));
  }).join('');
}
const compressed = (text: string, level: number) =>
  zstdCompressSync(Buffer.from(text), { params: { [constants.ZSTD_c_compressionLevel]: level } }).length;
const unitsOf = (bytes: number) => writeUnits(BESIDE + bytes);
const bytesOf = ({ S, B }: ReturnType<typeof bodyValue>) => B?.length ?? Buffer.byteLength(S ?? '');

describe('a body', () => {
  test('comes back as it was put, compressed or not', () => {
    for (const text of ['{}', reports(40), noise(3_000)]) {
      expect(bodyText(bodyValue(text, BESIDE), BYTES_MAX)).toBe(text);
    }
  });

  test('stays plain while that is one write unit, and where compression saves none', () => {
    const fits = 'x'.repeat(1_024 - BESIDE);
    expect(bodyValue(fits, BESIDE)).toEqual({ S: fits });
    expect(bodyValue(`${fits}x`, BESIDE).B).toBeDefined();
    const dense = noise(400);
    expect([unitsOf(compressed(dense, 1)), unitsOf(Buffer.byteLength(dense))]).toEqual([2, 2]);
    expect(bodyValue(dense, BESIDE)).toEqual({ S: dense });
  });

  test('costs no more write units than plain, or at the fast level, or at the thorough one', () => {
    let thoroughSaves = 0;
    for (let count = 5; count <= 400; count += 5) {
      const text = reports(count);
      const [plain, fast, thorough] = [
        Buffer.byteLength(text),
        ...[1, 6].map((level) => compressed(text, level)),
      ] as [number, number, number];
      if (unitsOf(thorough) < unitsOf(fast)) thoroughSaves += 1;
      // What the thorough level takes off is not looked for where the fast one leaves too much.
      const looked = fast * 0.94 > thorough ? fast : thorough;
      expect(unitsOf(bytesOf(bodyValue(text, BESIDE)))).toBeLessThanOrEqual(
        Math.min(...[plain, fast, looked].map(unitsOf)),
      );
    }
    expect(thoroughSaves).toBeGreaterThan(0);
  });

  test('of more than 64 KiB is compressed at the fast level alone', () => {
    for (let count = 1_000; count < 1_008; count += 1) {
      const text = reports(count);
      expect(Buffer.byteLength(text)).toBeGreaterThan(64 * 1_024);
      expect(bytesOf(bodyValue(text, BESIDE))).toBe(compressed(text, 1));
    }
  });

  test.each([
    ['that is absent', undefined, 'the item has no body'],
    ['that is a number', { N: '1' }, 'the item has no body'],
    ['that is not compressed', { B: Buffer.from('{}') }, 'does not decompress'],
    ['that is larger than its bound', { B: zstdCompressSync(Buffer.alloc(11)) }, 'to at most 10 bytes'],
  ])('%s is damage', (_, value, message) => {
    expect(() => bodyText(value, 10)).toThrowError(
      expect.objectContaining({ code: 'DAMAGED_ITEM', message: expect.stringContaining(message) }),
    );
  });

  test('as large as its bound is read', () => {
    expect(bodyText({ B: zstdCompressSync(Buffer.alloc(10, 'x')) }, 10)).toBe('x'.repeat(10));
  });
});
