import { describe, expect, test } from 'vitest';
import {
  figureValue,
  PRICES,
  planCapacity,
  SECONDS_A_MONTH,
  type Workload,
  workloadWithin,
} from '../src/index.ts';
import { windowWithin } from '../src/readable-after.ts';

const TEN_THOUSAND_BUSES: Workload = { deviceCount: 10_000, eventsPerSecondPerDevice: 0.1, eventBytes: 171 };
const values = (workload: Workload, design: 'twinstream' | 'baseline' = 'twinstream') => {
  const { [design]: figures } = planCapacity(workload);
  return (key: string) => figureValue(figures, key);
};

describe('10,000 devices, one event in ten seconds', () => {
  const value = values(TEN_THOUSAND_BUSES);

  test('make 1,000 events a second and need two shards, for records, at a use of 0.6', () => {
    expect(value('eventsPerSecond')).toBe(1_000);
    expect(value('recordsPerSecond')).toBe(1_000);
    expect(value('shards')).toBe(2);
    expect(value('concurrency')).toBe(4);
  });

  test('are never twice in a batch of a second, if they keep to their clocks, and hardly ever otherwise', () => {
    expect(value('eventsPerPage')).toBe(1);
    expect(value('writeUnitsPerEvent')).toBeCloseTo(2.01 + 1 / 500, 10);
    const random = values({ ...TEN_THOUSAND_BUSES, arrivals: 'random' });
    expect(random('eventsPerPage')).toBeCloseTo(0.1 / (1 - Math.exp(-0.1)), 6);
    expect(random('writeUnitsPerEvent')).toBeCloseTo(2.01 / random('eventsPerPage') + 1 / 500, 6);
  });

  test('share pages as soon as a batch gathers longer than they wait', () => {
    const longer = values({ ...TEN_THOUSAND_BUSES, isAggregated: true, windowSeconds: 25 });
    expect(longer('eventsPerPage')).toBeCloseTo(2.5, 10);
    expect(longer('writeUnitsPerEvent')).toBeCloseTo(2.01 / 2.5 + 1 / longer('eventsPerBatch'), 10);
  });

  test('cost, in stream, what two shards with seven days and a put unit an event cost', () => {
    const shards = 2 * 730 * (0.015 + 0.02);
    const puts = 1_000 * SECONDS_A_MONTH * (0.014 / 1e6);
    expect(value('kinesisProvisionedDollars')).toBeCloseTo(shards + puts, 6);
  });
});

describe('1,000 devices, 25 events a second each', () => {
  const workload = { deviceCount: 1_000, eventsPerSecondPerDevice: 25, eventBytes: 171 };

  test('pay at most 0.09 write units an event, and 2.0 in the baseline', () => {
    expect(values(workload)('eventsPerPage')).toBeCloseTo(25, 6);
    expect(values(workload)('writeUnitsPerEvent')).toBeCloseTo(
      2.01 / 25 + 1 / values(workload)('eventsPerBatch'),
      10,
    );
    expect(values(workload, 'baseline')('writeUnitsPerEvent')).toBe(2);
  });

  test('pay Firehose for their bytes, and the baseline for 5 KB an event', () => {
    const events = 25_000 * SECONDS_A_MONTH;
    expect(values(workload, 'baseline')('firehoseDollars')).toBeCloseTo(
      (events * 5_120 * PRICES.firehose.gb) / 1e9,
      4,
    );
    expect(values(workload)('firehoseDollars')).toBeCloseTo((events * 378 * PRICES.firehose.gb) / 1e9, 4);
  });
});

test('100,000 events a second need 167 plain shards at a use of 0.6, for records, and 18 aggregated at full use, for bytes', () => {
  const workload = { deviceCount: 100_000, eventsPerSecondPerDevice: 1, eventBytes: 171 };
  expect(values(workload)('shards')).toBe(167);
  expect(values({ ...workload, isAggregated: true, shardUse: 1 })('shards')).toBe(18);
});

test('a full batch comes sooner than the window', () => {
  const value = values({
    deviceCount: 1,
    eventsPerSecondPerDevice: 900,
    eventBytes: 171,
    windowSeconds: 300,
    shardUse: 1,
  });
  expect(value('batchSeconds')).toBeCloseTo(10_000 / 900, 6);
  expect(value('eventsPerBatch')).toBeCloseTo(10_000, 6);
});

test('a workload that cannot be is refused, with all its faults', () => {
  expect(() => planCapacity({ deviceCount: 1.5, eventsPerSecondPerDevice: -1, eventBytes: 1e9 })).toThrow(
    /eventsPerSecondPerDevice must be[\s\S]*eventBytes must be[\s\S]*deviceCount must be whole/,
  );
  expect(() => planCapacity({ deviceCount: Number.NaN, eventsPerSecondPerDevice: 1, eventBytes: 1 })).toThrow(
    RangeError,
  );
});

test('every figure says how it came about and where that is written', () => {
  const { twinstream, baseline } = planCapacity(TEN_THOUSAND_BUSES);
  expect(baseline.find(({ key }) => key === 'eventsPerPage')?.value).toBe(1);
  for (const { key, formula, source, unit, value } of [...twinstream, ...baseline]) {
    expect(Number.isFinite(value), key).toBe(true);
    expect(formula.length, key).toBeGreaterThan(5);
    expect(source.length, key).toBeGreaterThan(5);
    expect(unit, key).not.toBe('');
  }
  expect(twinstream.map(({ key }) => key)).toEqual(baseline.map(({ key }) => key));
  expect(new Set(twinstream.map(({ key }) => key)).size).toBe(twinstream.length);
});

describe('a latency budget', () => {
  const choice = (budgetSeconds: number) => windowWithin(TEN_THOUSAND_BUSES, budgetSeconds);

  test('gives the longest window that keeps within it', () => {
    expect(choice(2).windowSeconds).toBe(0);
    expect(choice(10).windowSeconds).toBe(8);
    for (const budget of [2, 5, 10, 60, 299, 1_000]) {
      const { windowSeconds = -1, readableAfterSeconds } = choice(budget);
      expect(readableAfterSeconds).toBeLessThanOrEqual(budget);
      const longer = planCapacity({ ...TEN_THOUSAND_BUSES, windowSeconds: Math.min(300, windowSeconds + 1) });
      const after = figureValue(longer.twinstream, 'readableAfterSeconds');
      if (windowSeconds < 300) expect(after).toBeGreaterThan(budget);
    }
  });

  test('that is shorter than the way itself has none', () => {
    expect(choice(1)).toEqual({
      windowSeconds: undefined,
      readableAfterSeconds: figureValue(
        planCapacity({ ...TEN_THOUSAND_BUSES, windowSeconds: 0 }).twinstream,
        'readableAfterSeconds',
      ),
    });
  });
});

describe('shards, where a latency budget is given', () => {
  const fleet: Workload = { ...TEN_THOUSAND_BUSES, deviceCount: 1_000_000, isAggregated: true };
  const chosen = (workload: Workload) => workloadWithin(workload, 60).workload ?? workload;

  test('are more, so that batches last, where that saves more write units than they cost', () => {
    const few = planCapacity({ ...fleet, windowSeconds: 58 });
    const many = planCapacity(chosen(fleet));
    expect(few.warnings.map(({ key }) => key)).toEqual(['unshared-pages', 'full-batches']);
    expect(many.warnings).toEqual([]);
    expect(figureValue(many.twinstream, 'eventsPerPage')).toBeCloseTo(many.workload.windowSeconds / 10, 1);
    expect(figureValue(many.twinstream, 'dollars')).toBeLessThan(figureValue(few.twinstream, 'dollars') / 3);
  });

  test('are as many as are asked for, or as the load needs where more would save nothing', () => {
    expect(chosen({ ...fleet, shardUse: 0.5 }).shardUse).toBe(0.5);
    expect(chosen({ ...fleet, eventsPerSecondPerDevice: 0.001 }).shardUse).toBeUndefined();
  });
});

describe('warnings', () => {
  const keys = (workload: Workload) => planCapacity(workload).warnings.map(({ key }) => key);

  test('tell of devices that are too slow to share pages', () => {
    expect(keys(TEN_THOUSAND_BUSES)).toEqual(['unshared-pages']);
    expect(keys({ ...TEN_THOUSAND_BUSES, windowSeconds: 10, deviceCount: 5_000 })).toEqual([]);
  });

  test('tell of windows that batches do not wait for', () => {
    expect(keys({ ...TEN_THOUSAND_BUSES, windowSeconds: 60 })).toEqual(['full-batches']);
  });

  test('tell of devices that are more than a shard takes', () => {
    const hot = { deviceCount: 1, eventsPerSecondPerDevice: 8_000, eventBytes: 900 };
    expect(keys(hot)).toContain('hot-shard');
    expect(keys({ ...hot, isAggregated: true })).toContain('hot-shard');
  });

  test('tell of a projector that falls behind', () => {
    const heavy = { deviceCount: 8_500, eventsPerSecondPerDevice: 1, eventBytes: 100, isAggregated: true };
    expect(keys({ ...heavy, shardUse: 1, windowSeconds: 0 })).toEqual(['slow-projector']);
  });
});
