import { expect, test } from 'vitest';
import { StepLimit } from '../src/step-limit.ts';

/** As the instrumented code counts. */
const step = ({ mutantSwitch: { mutantCoverage, currentTestId = '' } }: StepLimit, mutant: string) => {
  const hits = mutantCoverage.perTest[currentTestId] ?? {};
  hits[mutant] = (hits[mutant] ?? 0) + 1;
};
const endless = (limit: StepLimit) => {
  for (let steps = 0; steps < 1_000_000; steps += 1) step(limit, '1');
  return 'does not end';
};

test('a loop that a mutant makes endless ends, also where the mutant is not in the loop', () => {
  const limit = new StepLimit();
  limit.begin();
  step(limit, '1');
  step(limit, '2');
  step(limit, '2');
  const { hits, steps } = limit.end();
  expect({ hits, steps }).toEqual({ hits: { 1: 1, 2: 2 }, steps: 3 });
  limit.begin(steps);
  expect(() => endless(limit)).toThrow('steps');
  limit.begin();
  expect(endless(limit)).toBe('does not end');
});

test('a test without a mutant may take more steps than the least limit', () => {
  const limit = new StepLimit();
  limit.begin(1_000_000);
  expect(endless(limit)).toBe('does not end');
});
