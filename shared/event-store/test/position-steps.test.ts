import { sequenceNumber } from '@twinstream/stream-model';
import { expect, it } from 'vitest';
import { STEPS_ORIGIN, stepBetween, takeStep } from '../src/position-steps.ts';

// Two records of one shard, from an example event of the Lambda developer guide ("Using AWS Lambda with Amazon Kinesis").
const first = {
  sequenceNumber: sequenceNumber('49590338271490256608559692538361571095921575989136588898'),
  subSequenceNumber: 0,
};
const second = {
  sequenceNumber: sequenceNumber('49590338271490256608559692540925702759324208523137515618'),
  subSequenceNumber: 0,
};

const at = (number: string) => ({ sequenceNumber: sequenceNumber(number), subSequenceNumber: 0 });

it('writes the next entry of a record as nothing at all', () => {
  expect(stepBetween(first, { ...first, subSequenceNumber: 1 })).toBe('');
  expect(takeStep(first, '')).toEqual({ ...first, subSequenceNumber: 1 });
});

it('writes the next record of a shard in a few characters', () => {
  const step = stepBetween(first, second);
  expect(step).toBe('849l3bl');
  expect(takeStep(first, step)).toEqual(second);
});

it.each([
  ['back', second, first],
  ['to a later entry of another record', first, { ...second, subSequenceNumber: 7 }],
  ['to an earlier entry of the same record', { ...first, subSequenceNumber: 7 }, first],
  ['from the origin', STEPS_ORIGIN, second],
  ['to the origin', second, STEPS_ORIGIN],
  ['to a longer number that begins alike', at('123'), at('1245')],
  ['to a shorter number that begins alike', at('1245'), at('123')],
  ['to a number that is the beginning', at('1234'), at('12')],
  ['to a number that ends alike', at('1034'), at('1934')],
  [
    'to the largest there is',
    first,
    { sequenceNumber: sequenceNumber(`1${'0'.repeat(128)}`), subSequenceNumber: 3 },
  ],
])('restores a step %s', (_, before, after) => {
  // The origin stands before every entry of record 0.
  const reachable = { ...after, subSequenceNumber: Math.max(after.subSequenceNumber, 0) };
  expect(takeStep(before, stepBetween(before, reachable))).toEqual(reachable);
});

it.each(['x y', '-', ':', '12:', 'A', '--1'])('refuses %j', (step) => {
  expect(() => takeStep(first, step)).toThrow();
});
