import { describe, expect, test } from 'vitest';
import {
  type EquivalentMutant,
  equivalentMutantsFile,
  readEquivalentMutants,
} from '../src/equivalent-mutants.ts';
import type { Mutant } from '../src/mutants.ts';
import { type Outcome, score } from '../src/score.ts';
import { MUTATED_WORKSPACES } from '../src/workspaces.ts';

const mutant = (changed: Partial<Mutant> = {}): Mutant => ({
  id: '1',
  file: 'shared/a/src/a.ts',
  line: 1,
  column: 1,
  mutator: 'EqualityOperator',
  code: 'count > 0',
  becomes: 'count >= 0',
  ...changed,
});
const entry = (changed: Partial<EquivalentMutant> = {}): EquivalentMutant => ({
  file: 'shared/a/src/a.ts',
  code: 'count > 0',
  becomes: 'count >= 0',
  reason: 'the loop before it ends at 0',
  ...changed,
});
const judged = (...outcomes: readonly Outcome[]) =>
  outcomes.map((outcome, at) => ({ mutant: mutant({ id: String(at) }), outcome }));
const line = () => 'while (count > 0) {';

describe('the score', () => {
  test('counts what a test kills and what never ends as noticed, and what no test executes as not', () => {
    const { percent, noticedCount, survivors } = score(
      judged('killed', 'timeout', 'survived', 'not-covered'),
      [],
      line,
    );
    expect({ percent, noticedCount, survivorCount: survivors.length }).toEqual({
      percent: 50,
      noticedCount: 2,
      survivorCount: 2,
    });
  });

  test('leaves out survivors that are equivalent, and keeps those that a test notices after all', () => {
    const result = score(judged('killed', 'survived', 'survived'), [entry()], line);
    expect(result).toMatchObject({ percent: 100, noticedCount: 1, equivalentCount: 2, survivors: [] });
  });

  test('leaves out what was not tried, and says how many', () => {
    expect(score(judged('killed', 'survived', 'not-tried'), [], line)).toMatchObject({
      percent: 50,
      notTriedCount: 1,
      mutantCount: 3,
    });
  });

  test('names entries of the list that mean no survivor', () => {
    const stale = entry({ code: 'count > 1' });
    expect(score(judged('killed'), [stale], line).stale).toEqual([stale]);
  });
});

describe('an equivalent mutant', () => {
  const isEquivalent = (changed: Partial<EquivalentMutant>) =>
    score(judged('survived'), [entry(changed)], line).equivalentCount === 1;

  test('is meant by its file, its code and what it becomes, whatever the whitespace', () => {
    expect(isEquivalent({ code: 'count\n  >  0' })).toBe(true);
    expect(isEquivalent({ becomes: ['count < 0', 'count >= 0'] })).toBe(true);
    expect(isEquivalent({ becomes: 'count < 0' })).toBe(false);
    expect(isEquivalent({ file: 'shared/a/src/b.ts' })).toBe(false);
  });

  test('is meant in its own line only where the entry names one', () => {
    expect(isEquivalent({ within: 'while (' })).toBe(true);
    expect(isEquivalent({ within: 'if (' })).toBe(false);
  });

  test.each(Object.keys(MUTATED_WORKSPACES))('of %s has a reason and names a file of it', (workspace) => {
    const wrong = readEquivalentMutants(workspace).filter(
      ({ file }) => !file.startsWith(`${workspace}/src/`),
    );
    expect(wrong, equivalentMutantsFile(workspace)).toEqual([]);
  });
});
