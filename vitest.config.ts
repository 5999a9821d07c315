import { defineConfig } from 'vitest/config';

/** The tiers of tests, cheapest first. Each runs alone: `npx vitest run --project contract`. */
const TIERS = ['property', 'contract', 'simulation', 'e2e'] as const;

const tier = (name: string, include: string[], exclude: string[] = [], timeoutMs = 30_000) => ({
  test: {
    name,
    include,
    exclude: ['**/node_modules/**', '**/dist/**', ...exclude],
    testTimeout: timeoutMs,
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
      tier('contract', ['**/test/**/*.contract.test.ts'], [], 60_000),
      tier('simulation', ['**/test/**/*.simulation.test.ts'], [], 300_000),
      tier('e2e', ['**/test/**/*.e2e.test.ts'], [], 300_000),
    ],
  },
});
