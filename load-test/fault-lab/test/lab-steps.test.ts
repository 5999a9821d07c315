import { expect, test } from 'vitest';
import { type LabStep, stepsOf } from '../src/lab-steps.ts';

const OPTIONS = {
  ...{ command: ['x'], handlerName: 'handler', batchSize: 1, records: 100, keys: 5, rate: 1, shards: 2 },
  ...{ reshards: true, kills: 2, faults: 1, duplicates: 0.2, seed: 7, quietMs: 1, deadlineMs: 1 },
  requirements: [],
};
const kindsOf = (steps: readonly LabStep[]) => steps.map(({ kind }) => kind);

test('the same seed puts the same records; another puts others', () => {
  expect([...stepsOf(OPTIONS)]).toEqual([...stepsOf(OPTIONS)]);
  expect([...stepsOf(OPTIONS)]).not.toEqual([...stepsOf({ ...OPTIONS, seed: 8 })]);
});

test('has every put, reshard and kill, and none before the first put or after the last', () => {
  const kinds = kindsOf([...stepsOf(OPTIONS)]);
  const count = (wanted: LabStep['kind']) => kinds.filter((kind) => kind === wanted).length;
  expect({ put: count('put'), reshard: count('reshard'), kill: count('kill') }).toEqual({
    put: 100,
    reshard: 3,
    kill: 2,
  });
  expect([kinds[0], kinds.at(-1)]).toEqual(['put', 'put']);
});

test('leaves the shards as they are and the consumer alive where it is told to', () => {
  const steps = [...stepsOf({ ...OPTIONS, reshards: false, kills: 0, duplicates: 0 })];
  expect(new Set(kindsOf(steps))).toEqual(new Set(['put']));
  expect(steps.every((step) => step.kind === 'put' && step.copies === 1)).toBe(true);
});
