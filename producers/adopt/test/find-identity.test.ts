import { expect, test } from 'vitest';
import { findIdentity } from '../src/find-identity.ts';

test('a counter of 200,000 samples is looked at whole', () => {
  const values = Array.from({ length: 200_000 }, (_, seq) => seq);
  const field = { names: ['seq'], path: 'seq', flatName: 'seq', values, share: 1 };
  const deviceOf = values.map(() => 'd');
  expect(findIdentity([field], deviceOf)?.spec).toEqual({ wrapping: 'seq', bits: 32 });
});

const fieldOf = (name: string, values: readonly (string | number | undefined)[]) => ({
  ...{ names: [name], path: name, flatName: name, values },
  share: values.filter((value) => value !== undefined).length / values.length,
});
const DEVICES = ['a', 'b', 'a'];

test('an id that differs from record to record is a key, with its source beside it', () => {
  const id = fieldOf('eventId', ['x', 'y', 'z']);
  expect(findIdentity([id], DEVICES)).toMatchObject({ spec: { key: 'eventId' }, uses: [id] });
  const source = fieldOf('source', ['s', 's', 't']);
  expect(findIdentity([source, id], DEVICES)).toMatchObject({
    spec: { key: { concat: ['source', { const: ' ' }, 'eventId'] } },
    reason: expect.stringContaining('`source` and `eventId` differ'),
    uses: [id],
  });
});

test.each([
  ['that repeats', fieldOf('id', ['x', 'y', 'x'])],
  ['that is missing somewhere', fieldOf('id', ['x', undefined, 'z'])],
  ['of too few records', fieldOf('id', ['x', 'y'])],
  ['that is empty', fieldOf('id', ['x', '', 'z'])],
  ['whose name says something else', fieldOf('temperature', [1.5, 2.5, 3.5])],
])('a member %s is no key', (_, field) => {
  expect(findIdentity([field], DEVICES)).toBeUndefined();
});

test('what counts is better than a key', () => {
  const fields = [fieldOf('uuid', ['x', 'y', 'z']), fieldOf('seq', [7, 1, 8])];
  expect(findIdentity(fields, DEVICES)?.spec).toMatchObject({ wrapping: 'seq' });
});
