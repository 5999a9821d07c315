import { expect, test } from 'vitest';
import { findFault, seedsOf } from '../src/find-fault.ts';
import type { SeededFault } from '../src/seed-fault.ts';
import { SEEDED_FAULTS } from '../src/seeded-faults.ts';

/** Faults that take hundreds or thousands of seeds: with `TWINSTREAM_TEST_RARE_FAULTS=1`, or `npm run simulation -- --seeded-faults`. */
const RARE_FAULTS_TESTED = process.env.TWINSTREAM_TEST_RARE_FAULTS === '1';

const isTested = ({ isRare }: SeededFault) => isRare === undefined || RARE_FAULTS_TESTED;

test.each(SEEDED_FAULTS.filter(isTested))('finds a seeded fault: $name', async (fault) => {
  const { foundAt } = fault;
  const found = foundAt === undefined ? undefined : await findFault(fault, [foundAt]);
  expect(found ?? (await findFault(fault, seedsOf(fault)))).toBeDefined();
});

test.each(SEEDED_FAULTS.filter((fault) => !isTested(fault)))(
  'can still seed a fault that takes many seeds to find: $name',
  async (fault) => {
    expect(await findFault(fault, [1])).toBeUndefined();
  },
);
