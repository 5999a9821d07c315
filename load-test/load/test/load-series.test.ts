import { expect, test } from 'vitest';
import { totalMemoryMaxMiB } from '../src/load-series.ts';

test('finds the largest memory in more samples than a call takes arguments', () => {
  const samples = Array.from({ length: 200_000 }, (_, index) => ({
    name: 'projector',
    atMs: index,
    cpuSeconds: 0,
    residentBytes: index === 1_000 ? 8 * 2 ** 20 : 2 ** 20,
  }));
  expect(totalMemoryMaxMiB(samples)).toBe(8);
});
