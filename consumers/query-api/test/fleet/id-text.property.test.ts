import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createIdText } from '../../src/fleet/columns/id-text.ts';

const letter = fc.constantFrom('a', 'B', 'b', '0', '-', 'ß', 'İ', 'Σ', 'é', '漢', '😀', '😁');
const anyId = fc.array(letter, { minLength: 1, maxLength: 9 }).map((letters) => letters.join(''));
const anyText = fc.array(letter, { maxLength: 4 }).map((letters) => letters.join('').toLowerCase());

function searched(ids: readonly string[], text: string): number[] {
  const idText = createIdText();
  for (const id of ids) idText.add(id);
  return [...idText.search(text)];
}

describe('a text in the ids of a fleet', () => {
  test('is found in those that have it, in any letter case, and in no other', () => {
    fc.assert(
      fc.property(fc.array(anyId, { maxLength: 40 }), anyText, (ids, text) => {
        expect(searched(ids, text)).toEqual(ids.map((id) => (id.toLowerCase().includes(text) ? 1 : 0)));
      }),
      { numRuns: 500 },
    );
  });

  test('is not found where it lies across two of them', () => {
    expect(searched(['bus-1', '2-tram'], '-12-')).toEqual([0, 0]);
    expect(searched(['bus-1', '2-tram'], '12')).toEqual([0, 0]);
  });

  test('is found in the last of many, and may be longer than a shift', () => {
    const long = `${'a'.repeat(255)}b`;
    const ids = [...Array.from({ length: 5_000 }, (_, n) => `${'a'.repeat(n % 7)}${n}`), long];
    expect(searched(ids, long.slice(-250)).indexOf(1)).toBe(5_000);
    expect(searched(ids, '4999').indexOf(1)).toBe(4_999);
  });
});
