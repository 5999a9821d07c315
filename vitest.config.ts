import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

/** The tiers of tests, cheapest first. Each runs alone: `npx vitest run --project contract`. */
const TIERS = ['property', 'contract', 'simulation', 'e2e'] as const;

/**
 * Tests of whole processes and browsers share their cores with each other: trying again tells a slow machine from a fault,
 * and the report names what was tried again. Nothing that is decided by seeds or by pure code is tried again.
 */
const RETRIES_OF_PROCESSES = 2;

/** Virtual machines of these tests live for seconds: it takes half as long to start one that compiles for that. */
const ENVIRONMENT = { JDK_JAVA_OPTIONS: '-XX:TieredStopAtLevel=1 -XX:+UseSerialGC' };

const CORES = Math.max(2, availableParallelism());
/** All cores, two at least, for what works in its own process. */
const SIDE_BY_SIDE = { sequence: { groupOrder: 0 }, maxWorkers: CORES };
/** Then twice as many files as there are cores of what waits for other processes and browsers half of its time. */
const THEN_SIDE_BY_SIDE = { sequence: { groupOrder: 1 }, maxWorkers: 2 * CORES };
/** At last, one file at a time, what needs the machine for itself. */
const ONE_BY_ONE = { sequence: { groupOrder: 2 }, maxWorkers: 1 };

/**
 * Files of these tiers share a process and what it has loaded: half of their time went into loading the same modules again. A file
 * that starts a server ends it; DynamoDB Local, which takes longest, is started once for all files of a process; the environment
 * is after each file as it was before it.
 */
const SHARED_MODULES: readonly string[] = ['unit', 'property', 'contract', 'e2e'];
const RESTORE_ENVIRONMENT = fileURLToPath(
  new URL('./shared/test-kit/test/restore-environment.ts', import.meta.url),
);

/** Tests of the end-to-end tier that hold a process or a page to the clock, in a project of their own. */
const HELD_TO_THE_CLOCK = [
  'load-test/end-to-end/test/device-simulator.e2e.test.ts',
  'consumers/dashboard/test/many-devices.e2e.test.ts',
];

interface Tier {
  readonly name: string;
  readonly include: readonly string[];
  readonly exclude?: readonly string[];
  readonly timeoutMs?: number;
  readonly retry?: number;
  readonly order?: { readonly sequence: { readonly groupOrder: number }; readonly maxWorkers: number };
}

const tier = ({
  name,
  include,
  exclude = [],
  timeoutMs = 30_000,
  retry = 0,
  order = SIDE_BY_SIDE,
}: Tier) => ({
  test: {
    name,
    isolate: !SHARED_MODULES.includes(name),
    setupFiles: SHARED_MODULES.includes(name) ? [RESTORE_ENVIRONMENT] : [],
    // Faults are seeded as Node loads a module: nothing may load modules in its place.
    experimental: { viteModuleRunner: name !== 'simulation' },
    ...order,
    include: [...include],
    exclude: ['**/node_modules/**', '**/dist/**', ...exclude],
    testTimeout: timeoutMs,
    retry,
    // A hook builds the page and starts servers: on a busy machine that takes more than a minute.
    hookTimeout: Math.max(60_000, timeoutMs / 2),
    env: ENVIRONMENT,
  },
});

export default defineConfig({
  test: {
    projects: [
      tier({
        name: 'unit',
        include: ['**/test/**/*.test.ts'],
        exclude: TIERS.map((name) => `**/*.${name}.test.ts`),
      }),
      tier({ name: 'property', include: ['**/test/**/*.property.test.ts'], timeoutMs: 60_000 }),
      tier({
        name: 'contract',
        include: ['**/test/**/*.contract.test.ts'],
        timeoutMs: 60_000,
        retry: RETRIES_OF_PROCESSES,
      }),
      tier({ name: 'simulation', include: ['**/test/**/*.simulation.test.ts'], timeoutMs: 300_000 }),
      tier({
        name: 'e2e',
        include: ['**/test/**/*.e2e.test.ts'],
        exclude: HELD_TO_THE_CLOCK,
        timeoutMs: 300_000,
        retry: RETRIES_OF_PROCESSES,
        order: THEN_SIDE_BY_SIDE,
      }),
      tier({
        name: 'clock',
        include: HELD_TO_THE_CLOCK,
        timeoutMs: 300_000,
        retry: RETRIES_OF_PROCESSES,
        order: ONE_BY_ONE,
      }),
    ],
  },
});
