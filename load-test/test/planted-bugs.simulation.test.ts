import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { PLANTED_SEEDS_MAX, type PlantedBug } from '../src/simulation/plant.ts';
import { PLANTED_BUGS } from '../src/simulation/planted-bugs.ts';

const SIMULATION = fileURLToPath(new URL('../src/simulation/main.ts', import.meta.url));

/** Bugs that take hundreds or thousands of seeds: with `TWINSTREAM_TEST_RARE_BUGS=1`, or `npm run simulation -- --planted`. */
const RARE_BUGS_TESTED = process.env.TWINSTREAM_TEST_RARE_BUGS === '1';

const isTested = ({ isRare }: PlantedBug) => isRare === undefined || RARE_BUGS_TESTED;

test.each(PLANTED_BUGS.filter(isTested))('finds a planted bug: $name', async ({ name, seedsMax }) => {
  const { code, output } = await runPlanted(name, seedsMax ?? PLANTED_SEEDS_MAX);
  expect(output).toMatch(/^violated at seed \d+/);
  expect(code).toBe(1);
});

test.each(PLANTED_BUGS.filter((bug) => !isTested(bug)).map(({ name }) => name))(
  'can still plant a bug that takes many seeds to find: %s',
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
