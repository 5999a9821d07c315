import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import type { PlantedBug } from '../src/simulation/plant.ts';
import { PLANTED_BUGS } from '../src/simulation/planted-bugs.ts';
import { simulate } from '../src/simulation/simulate.ts';

const SIMULATION = fileURLToPath(new URL('../src/simulation/main.ts', import.meta.url));

/** Seeds of a test run; `npm run simulation` runs any number. */
const SEEDS = 1_500;
/** Seeds that found something once. What they run changes with the simulation; they cost nothing. */
const FORMER_FINDINGS = [
  18, 44, 788, 1_835, 1_926, 2_709, 4_497, 6_244, 8_786, 8_976, 22_761, 27_279, 30_359, 40_143, 44_008,
  73_685, 76_929,
];
const PLANTED_SEEDS_MAX = 10_000;
/** Bugs that take thousands of seeds: with `TWINSTREAM_TEST_RARE_BUGS=1`, or `npm run simulation -- --planted`. */
const RARE_BUGS_TESTED = process.env.TWINSTREAM_TEST_RARE_BUGS === '1';

test('no guarantee is violated in simulated worlds', async () => {
  const seeds = [...FORMER_FINDINGS, ...Array.from({ length: SEEDS }, (_, index) => index + 1)];
  for (const seed of seeds) {
    const { violation } = await simulate(seed);
    if (violation !== undefined)
      throw new Error(`npm run simulation -- --seed ${seed}`, { cause: violation });
  }
});

test('the same seed gives the same run, turn by turn', async () => {
  const [first, second] = [await simulate(42), await simulate(42)];
  expect(second).toEqual(first);
  expect(first.turns).toBeGreaterThan(100);
});

const isTested = ({ isRare }: PlantedBug) => isRare === undefined || RARE_BUGS_TESTED;

test.each(PLANTED_BUGS.filter(isTested).map(({ name }) => name))('finds a planted bug: %s', async (name) => {
  const { code, output } = await runPlanted(name, PLANTED_SEEDS_MAX);
  expect(output).toMatch(/^violated at seed \d+/);
  expect(code).toBe(1);
});

test.each(PLANTED_BUGS.filter((bug) => !isTested(bug)).map(({ name }) => name))(
  'can still plant a bug that takes thousands of seeds to find: %s',
  async (name) => {
    const { code, output } = await runPlanted(name, 1);
    expect(output).toMatch(/^1 seeds, /m);
    expect(code).toBe(0);
  },
);

async function runPlanted(name: string, seeds: number) {
  const args = [SIMULATION, '--plant', name, '--seeds', String(seeds)];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'ignore'] });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  const [code] = await once(child, 'close');
  return { code, output };
}
