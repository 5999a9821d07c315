import { describe, expect, test } from 'vitest';
import { figureValue, PRICES, planCapacity, SECONDS_A_MONTH, type Workload } from '../src/index.ts';

const TEN_THOUSAND_BUSES: Workload = { deviceCount: 10_000, eventsPerSecondPerDevice: 0.1, eventBytes: 171 };
const values = (workload: Workload, design: 'twinstream' | 'ordinary' = 'twinstream') => {
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

  test('are hardly ever twice in a batch of a second', () => {
    expect(value('eventsPerPage')).toBeCloseTo(0.1 / (1 - Math.exp(-0.1)), 10);
    expect(value('writeUnitsPerEvent')).toBeCloseTo(2.02 / value('eventsPerPage'), 10);
  });

  test('cost, in stream, what two shards with seven days and a put unit an event cost', () => {
    const shards = 2 * 730 * (0.015 + 0.02);
    const puts = 1_000 * SECONDS_A_MONTH * (0.014 / 1e6);
    expect(value('kinesisProvisionedDollars')).toBeCloseTo(shards + puts, 6);
  });
});

describe('1,000 devices, 25 events a second each', () => {
  const workload = { deviceCount: 1_000, eventsPerSecondPerDevice: 25, eventBytes: 171 };

  test('pay at most 0.09 write units an event, and 2.0 in the ordinary design', () => {
    expect(values(workload)('eventsPerPage')).toBeCloseTo(25, 6);
    expect(values(workload)('writeUnitsPerEvent')).toBeCloseTo(2.02 / 25, 6);
    expect(values(workload, 'ordinary')('writeUnitsPerEvent')).toBe(2);
  });

  test('pay Firehose for their bytes, and the ordinary design for 5 KB an event', () => {
    const events = 25_000 * SECONDS_A_MONTH;
    expect(values(workload, 'ordinary')('firehoseDollars')).toBeCloseTo(
      (events * 5_120 * PRICES.firehose.gb) / 1e9,
      4,
    );
    expect(values(workload)('firehoseDollars')).toBeCloseTo((events * 401 * PRICES.firehose.gb) / 1e9, 4);
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
  const { twinstream, ordinary } = planCapacity(TEN_THOUSAND_BUSES);
  for (const { key, formula, source, unit, value } of [...twinstream, ...ordinary]) {
    expect(Number.isFinite(value), key).toBe(true);
    expect(formula.length, key).toBeGreaterThan(5);
    expect(source.length, key).toBeGreaterThan(5);
    expect(unit, key).not.toBe('');
  }
  expect(twinstream.map(({ key }) => key)).toEqual(ordinary.map(({ key }) => key));
  expect(new Set(twinstream.map(({ key }) => key)).size).toBe(twinstream.length);
});
