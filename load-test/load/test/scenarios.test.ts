import { expect, test } from 'vitest';
import { shardsFor } from '../src/load-options.ts';
import type { LoadSite } from '../src/load-site.ts';
import { sampleDevices, skewOf } from '../src/sampled-devices.ts';
import { SCENARIO_NAMES, SCENARIOS } from '../src/scenarios.ts';

const PLAN = { rate: 1_000, durationMs: 60_000, deviceCount: 100 };

/** Takes down what is done to it. */
function notedSite(): LoadSite & { readonly calls: string[] } {
  const calls: string[] = [];
  const note = (call: string) => async () => void calls.push(call);
  return {
    calls,
    setFaults: async (rules) => void calls.push(`${rules.length} rules`),
    kill: async (name) => void calls.push(`kill ${name}`),
    setMapping: async (name, enabled) => void calls.push(`${name} ${enabled}`),
    shardCount: async () => 4,
    reshard: async (count) => void calls.push(`${count} shards`),
    resume: note('resume'),
    restore: note('restore'),
    close: () => undefined,
  };
}

test.each(SCENARIO_NAMES)('the steps of %s come in order, within the load', async (name) => {
  const steps = SCENARIOS[name].steps?.(PLAN) ?? [];
  const times = steps.map(({ at }) => at);
  expect(times).toEqual(times.toSorted((a, b) => a - b));
  expect(times.every((at) => at > 0 && at < 1)).toBe(true);
});

test.each([
  ['reshard', ['8 shards', '2 shards']],
  ['consumer-outage', ['state-projector false', 'state-projector true']],
  ['dynamodb-outage', ['1 rules', '0 rules']],
  ['throttle', ['7 rules', '0 rules']],
] as const)('%s does what it says', async (name, calls) => {
  const site = notedSite();
  for (const step of SCENARIOS[name].steps?.(PLAN) ?? []) await step.act(site);
  expect(site.calls).toEqual(calls);
});

test.each([
  [undefined, 30_000],
  [40_000, 40_000],
  [59_000, 59_000],
])('an outage of %s ms lasts as long as it should, within the load', (outageMs, lastsMs) => {
  const plan = { ...PLAN, ...(outageMs === undefined ? {} : { outageMs }) };
  const [away, back] = SCENARIOS['dynamodb-outage'].steps?.(plan) ?? [];
  const [from, to] = [away?.at ?? 0, back?.at ?? 0].map((at) => at * PLAN.durationMs);
  expect(from).toBeGreaterThan(0);
  expect(to).toBeLessThan(PLAN.durationMs);
  expect((to ?? 0) - (from ?? 0)).toBeCloseTo(lastsMs, 3);
});

test('a soak goes through every disturbance however short it is, and repeats them when long', async () => {
  const kinds = (durationMs: number) => SCENARIOS.soak.steps?.({ ...PLAN, durationMs }).length;
  expect(kinds(10_000)).toBe(7);
  expect(kinds(1_800_000)).toBe(90);
});

test('hot devices are all sampled; of the others as many as asked for, each once', () => {
  const skew = skewOf(SCENARIOS['hot-key'].flags?.(PLAN) ?? []);
  expect(skew).toEqual({ kind: 'zipf', exponent: 1.1 });
  const { hot, others } = sampleDevices({ deviceCount: 1_000, seed: 7, skew }, 20);
  expect(hot.length).toBeGreaterThan(2);
  expect(new Set([...hot, ...others]).size).toBe(hot.length + 20);
  expect(sampleDevices({ deviceCount: 3, seed: 7, skew: { kind: 'even' } }, 20)).toEqual({
    hot: [],
    others: expect.objectContaining({ length: 3 }),
  });
});

test('a rate has shards for its bytes and, unaggregated, for its records', () => {
  expect(shardsFor({ rate: 100, aggregate: false })).toBe(4);
  expect(shardsFor({ rate: 6_000, aggregate: false })).toBe(9);
  expect(shardsFor({ rate: 20_000, aggregate: true })).toBe(7);
  expect(shardsFor({ rate: 200_000, aggregate: false })).toBe(64);
});
