import { fileURLToPath } from 'node:url';
import { runNode } from '@twinstream/test-kit';
import { expect, test } from 'vitest';
import { SEEDED_FAULT_SEEDS_MAX, type SeededFault } from '../src/seed-fault.ts';
import { SEEDED_FAULTS } from '../src/seeded-faults.ts';

const SIMULATION = fileURLToPath(new URL('../src/main.ts', import.meta.url));

/** Faults that take hundreds or thousands of seeds: with `TWINSTREAM_TEST_RARE_FAULTS=1`, or `npm run simulation -- --seeded-faults`. */
const RARE_FAULTS_TESTED = process.env.TWINSTREAM_TEST_RARE_FAULTS === '1';

const isTested = ({ isRare }: SeededFault) => isRare === undefined || RARE_FAULTS_TESTED;

test.each(SEEDED_FAULTS.filter(isTested))(
  'finds a seeded fault: $name',
  async ({ name, foundAt, seedsMax }) => {
    const found = foundAt === undefined ? undefined : await runWithFault(name, '--seed', String(foundAt));
    const seeds = String(seedsMax ?? SEEDED_FAULT_SEEDS_MAX);
    const { code, output } = found?.code === 1 ? found : await runWithFault(name, '--seeds', seeds);
    expect(output).toMatch(/^violated at seed \d+/);
    expect(code).toBe(1);
  },
);

test.each(SEEDED_FAULTS.filter((fault) => !isTested(fault)).map(({ name }) => name))(
  'can still seed a fault that takes many seeds to find: %s',
  async (name) => {
    const { code, output } = await runWithFault(name, '--seeds', '1');
    expect(output).toMatch(/^1 seeds, /m);
    expect(code).toBe(0);
  },
);

async function runWithFault(name: string, ...seeds: readonly string[]) {
  const { code, stdout: output } = await runNode([SIMULATION, '--seeded-fault', name, ...seeds]);
  return { code, output };
}
