import { expect, test } from 'vitest';
import { FIGURE_NAMES, type Figures, parseExpectation } from '../src/figures.ts';
import type { SubjectResult } from '../src/load-result.ts';
import { promisesKept } from '../src/run-load.ts';
import { nextRate, searchRate, whyNot } from '../src/search-rate.ts';

function resultOf(figures: Partial<Figures>, violationCount = 0): SubjectResult {
  const all = Object.fromEntries(FIGURE_NAMES.map((name) => [name, 0])) as Figures;
  return {
    subject: 'it',
    figures: { ...all, ...figures },
    ledger: { violationCount },
  } as SubjectResult;
}

const atRate = (rate: number, limit: number) =>
  resultOf({ offeredPerSecond: rate, p99Ms: rate > limit ? 9_000 : 500, drainMs: 100 });

test.each([700, 1_000, 3_333, 40_000])('finds a limit of %d events/s within 6 %%', async (limit) => {
  const { search, best } = await searchRate({
    startRate: 1_000,
    measure: async (rate) => atRate(rate, limit),
    say: () => undefined,
  });
  expect(search.highestRate).toBeLessThanOrEqual(limit);
  expect(search.highestRate).toBeGreaterThan(limit / 1.07);
  expect(best.figures).toMatchObject({ p99Ms: 500, highestRate: search.highestRate });
});

test('a rate that nothing can hold is searched down to the lowest, and none is claimed', async () => {
  const { search } = await searchRate({
    startRate: 200,
    measure: async (rate) => atRate(rate, 0),
    say: () => undefined,
  });
  expect(search.highestRate).toBeNull();
  expect(search.trials.every(({ held }) => !held)).toBe(true);
});

test('no rate above the highest that the flags allow is tried', () => {
  expect(nextRate(150_000, undefined)).toBeUndefined();
});

test.each([
  [{ dropped: 1 }, 0, 'dropped'],
  [{ failed: 2 }, 0, 'failed'],
  [{}, 3, 'violations'],
  [{ offeredPerSecond: 900 }, 0, 'offered'],
  [{ p99Ms: null }, 0, 'not known'],
  [{ drainMs: null }, 0, 'not drained'],
] as const)('a rate does not hold with %j and %d violations', (figures, violations, why) => {
  const fine = { offeredPerSecond: 1_000, p99Ms: 100, drainMs: 100 };
  expect(whyNot(resultOf({ ...fine, ...figures }, violations), 1_000)).toContain(why);
  expect(whyNot(resultOf(fine), 1_000)).toBe('');
});

test('a rate holds with a p99 of 3 s at most, or with what is expected', () => {
  const slow = resultOf({ offeredPerSecond: 1_000, p99Ms: 4_000, drainMs: 100, memoryMaxMiB: 900 });
  expect(whyNot(slow, 1_000)).toBe('p99Ms<=3000 is missed: 4000');
  expect(whyNot(slow, 1_000, [parseExpectation('memoryMaxMiB<1000')])).toContain('p99Ms');
  expect(whyNot(slow, 1_000, [parseExpectation('p99Ms<=5000')])).toBe('');
  expect(whyNot(slow, 1_000, [parseExpectation('p99Ms<=5000'), parseExpectation('memoryMaxMiB<800')])).toBe(
    'memoryMaxMiB<800 is missed: 900',
  );
});

test('a run with a violation, or that never drained, has not kept its promises', () => {
  expect(promisesKept(resultOf({}))).toBe(true);
  expect(promisesKept(resultOf({}, 1))).toBe(false);
  expect(promisesKept(resultOf({ drainMs: null }))).toBe(false);
});
