import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

/** The tiers of tests, cheapest first. Each runs alone: `npx vitest run --project contract`. */
const TIERS = ['property', 'contract', 'simulation', 'e2e'] as const;

/**
 * Tests of whole processes and browsers share their cores with each other: trying again tells a slow machine from a fault,
 * and the report names what was tried again. Nothing that is decided by seeds or by pure code is tried again.
 */
const RETRIES_OF_PROCESSES = 2;

/** All cores, two at least, for what works in its own process; then whole pipelines and browsers, one file at a time. */
const SIDE_BY_SIDE = { sequence: { groupOrder: 0 }, maxWorkers: Math.max(2, availableParallelism()) };
const ONE_BY_ONE = { sequence: { groupOrder: 1 }, maxWorkers: 1 };

/** Files of pure code share a process and what it has loaded: half of their time went into loading the same modules anew. */
const SHARED_MODULES: readonly string[] = ['unit', 'property'];

const tier = (name: string, include: string[], exclude: string[] = [], timeoutMs = 30_000, retry = 0) => ({
  test: {
    name,
    isolate: !SHARED_MODULES.includes(name),
    ...(name === 'e2e' ? ONE_BY_ONE : SIDE_BY_SIDE),
    include,
    exclude: ['**/node_modules/**', '**/dist/**', ...exclude],
    testTimeout: timeoutMs,
    retry,
    hookTimeout: 60_000,
  },
});

export default defineConfig({
  test: {
    projects: [
      tier(
        'unit',
        ['**/test/**/*.test.ts'],
        TIERS.map((name) => `**/*.${name}.test.ts`),
      ),
      tier('property', ['**/test/**/*.property.test.ts'], [], 60_000),
      tier('contract', ['**/test/**/*.contract.test.ts'], [], 60_000, RETRIES_OF_PROCESSES),
      tier('simulation', ['**/test/**/*.simulation.test.ts'], [], 300_000),
      tier('e2e', ['**/test/**/*.e2e.test.ts'], [], 300_000, RETRIES_OF_PROCESSES),
    ],
  },
});
