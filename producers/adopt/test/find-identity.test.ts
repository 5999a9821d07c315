import { expect, test } from 'vitest';
import { findIdentity } from '../src/find-identity.ts';

test('a counter of 200,000 samples is looked at whole', () => {
  const values = Array.from({ length: 200_000 }, (_, seq) => seq);
  const field = { names: ['seq'], path: 'seq', flatName: 'seq', values, share: 1 };
  const deviceOf = values.map(() => 'd');
  expect(findIdentity([field], deviceOf)?.spec).toEqual({ wrapping: 'seq', bits: 32 });
});
