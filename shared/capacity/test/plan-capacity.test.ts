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
/** Share of batches in another container than the one before: each costs a refused page for a device. */
const STRAY = 0.05;
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
    expect(value('reservedConcurrency')).toBe(8);
  });

  test('are never twice in a batch of a second, if they keep to their clocks, and hardly ever otherwise', () => {
    expect(value('eventsPerPage')).toBe(1);
    expect(value('writeUnitsPerEvent')).toBeCloseTo(2.01 + STRAY + 1 / 500, 10);
    const random = values({ ...TEN_THOUSAND_BUSES, arrivals: 'random' });
    expect(random('eventsPerPage')).toBeCloseTo(0.1 / (1 - Math.exp(-0.1)), 6);
    expect(random('writeUnitsPerEvent')).toBeCloseTo((2.01 + STRAY) / random('eventsPerPage') + 1 / 500, 6);
  });

  test('share pages as soon as a batch gathers longer than they wait', () => {
    const longer = values({
      ...TEN_THOUSAND_BUSES,
      deviceCount: 9_000,
      isAggregated: true,
      lingerSeconds: 5,
      windowSeconds: 25,
    });
    expect(longer('eventsPerPage')).toBeCloseTo(2.5, 10);
    expect(longer('writeUnitsPerEvent')).toBeCloseTo(2.01 / 2.5 + 1 / longer('eventsPerBatch'), 10);
  });

  test('cost, in stream, what two shards with seven days and a put unit an event cost', () => {
    const shards = 2 * 730 * (0.015 + 0.02);
    const puts = 1_000 * SECONDS_A_MONTH * (0.014 / 1e6);
    expect(value('kinesisProvisionedDollars')).toBeCloseTo(shards + puts, 6);
  });
});

test('shards give out what all their readers take at the planned use: two functions, and two tasks that answer for a large fleet', () => {
  const fleet: Workload = {
    deviceCount: 1_000_000,
    eventsPerSecondPerDevice: 0.1,
    eventBytes: 170,
    isAggregated: true,
    lingerSeconds: 2,
    producerCount: 5,
  };
  const large = values(fleet);
  const takenOfShard = (large('bytesPerSecond') / large('shards')) * 4;
  expect(takenOfShard).toBeLessThanOrEqual(0.6 * 2 * 1_024 * 1_024);
  expect(takenOfShard).toBeGreaterThan(0.5 * 2 * 1_024 * 1_024);
  // Alone, the functions read what comes in twice, as much as a shard gives out.
  const alone = values({ ...fleet, readerCount: 2 });
  expect(alone('shards')).toBeLessThan(large('shards') * 0.6);
  expect(values({ ...fleet, deviceCount: 190_000 })('shards')).toBe(
    values({ ...fleet, deviceCount: 190_000, readerCount: 2 })('shards'),
  );
});

describe('1,000 devices, 25 events a second each', () => {
  const workload = { deviceCount: 1_000, eventsPerSecondPerDevice: 25, eventBytes: 171 };

  test('pay at most 0.09 write units an event, and 2.0 in the baseline', () => {
    expect(values(workload)('eventsPerPage')).toBeCloseTo(25, 6);
    expect(values(workload)('writeUnitsPerEvent')).toBeCloseTo(
      (2.01 + STRAY) / 25 + 1 / values(workload)('eventsPerBatch'),
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

test('100,000 events a second need 167 plain shards at a use of 0.6, for records, and 19 aggregated at full use, for bytes', () => {
  const workload = { deviceCount: 100_000, eventsPerSecondPerDevice: 1, eventBytes: 171 };
  expect(values(workload)('shards')).toBe(167);
  expect(values({ ...workload, isAggregated: true, lingerSeconds: 1, shardUse: 1 })('shards')).toBe(19);
});

describe('a full batch comes sooner than the window', () => {
  const load = { deviceCount: 1, eventsPerSecondPerDevice: 900, windowSeconds: 300, shardUse: 1 };
  const eventsOfBatch = (eventBytes: number) => values({ ...load, eventBytes })('eventsPerBatch');

  test('by its records in base64 and 640 bytes around each', () => {
    expect(eventsOfBatch(171)).toBeCloseTo((6 * 1_024 * 1_024) / (640 + (4 / 3) * (171 + 16)), 6);
    expect(values({ ...load, eventBytes: 171 })('batchSeconds')).toBeCloseTo(eventsOfBatch(171) / 900, 6);
  });

  test('and never by their number alone: 10,000 without data take more than a request has space for', () => {
    expect(eventsOfBatch(1)).toBeLessThan(10_000);
  });
});

describe('aggregated records', () => {
  // 100,000 events a second.
  const fleet: Workload = {
    deviceCount: 1_000_000,
    eventsPerSecondPerDevice: 0.1,
    eventBytes: 170,
    isAggregated: true,
  };

  test('hold hardly more than one event at the default linger, with five producers that each fill 16 lanes of a shard', () => {
    const value = values({ ...fleet, producerCount: 5 });
    const mean = (100_000 * 0.05) / (5 * value('shards') * 16);
    expect(value('eventsPerRecord')).toBeCloseTo(mean / (1 - Math.exp(-mean)), 10);
    expect(value('eventsPerRecord')).toBeLessThan(2);
    expect(value('recordsPerSecond')).toBeCloseTo(100_000 / value('eventsPerRecord'), 6);
  });

  test('are full, and of some 50 KB, where the linger is long enough', () => {
    const value = values({ ...fleet, lingerSeconds: 20, producerCount: 1 });
    expect(value('eventsPerRecord')).toBe(Math.floor(51_200 / 196));
  });

  test('hold fewer with more producers, which costs put units and space in batches', () => {
    const [one, many] = [values({ ...fleet, producerCount: 1 }), values({ ...fleet, producerCount: 100 })];
    expect(many('eventsPerRecord')).toBeLessThan(one('eventsPerRecord'));
    expect(many('shards')).toBeGreaterThan(one('shards'));
    expect(many('kinesisProvisionedDollars')).toBeGreaterThan(one('kinesisProvisionedDollars'));
  });

  test('fill with a longer linger, which a latency budget pays for where that costs less', () => {
    const { workload: chosen = fleet } = workloadWithin(fleet, 60);
    const asked = workloadWithin({ ...fleet, lingerSeconds: 0.05 }, 60).workload ?? fleet;
    expect(chosen.lingerSeconds).toBeGreaterThan(0.05);
    expect(asked.lingerSeconds).toBe(0.05);
    expect(values(chosen)('dollars')).toBeLessThan(values(asked)('dollars'));
    expect(values(chosen)('readableAfterSeconds')).toBeLessThanOrEqual(60);
  });
});

describe('heads in memory', () => {
  const large = {
    deviceCount: 1_000_000,
    eventsPerSecondPerDevice: 0.001,
    eventBytes: 170,
    shardUse: 1,
  } as const;

  test('are read of every device where a shard has more of them than fit, as they come in turn', () => {
    expect(values(large)('headMissShare')).toBe(1);
    const random = values({ ...large, arrivals: 'random' });
    expect(random('headMissShare')).toBeGreaterThan(0.5);
    expect(random('headMissShare')).toBeLessThan(1);
    expect(planCapacity(large).warnings.map(({ key }) => key)).toContain('heads-forgotten');
  });

  test('are stale where another container had the batch before, which one shard has not', () => {
    expect(values({ ...large, deviceCount: 10_000 })('headMissShare')).toBe(0);
    expect(values(TEN_THOUSAND_BUSES)('headMissShare')).toBeCloseTo(STRAY, 10);
    const strayed = values(TEN_THOUSAND_BUSES)('dynamoDbStrayedDollars');
    expect(strayed).toBeGreaterThan(values(TEN_THOUSAND_BUSES)('dynamoDbDollars') * 1.4);
  });
});

test('coalesced states pay one write for a device and batch, and store no history in DynamoDB', () => {
  const { coalesced, twinstream } = planCapacity({
    ...TEN_THOUSAND_BUSES,
    deviceCount: 1_000,
    windowSeconds: 20,
  });
  const value = (key: string) => figureValue(coalesced, key);
  expect(value('eventsPerPage')).toBeCloseTo(2, 10);
  expect(value('writeUnitsPerEvent')).toBeCloseTo(1 / 2, 10);
  expect(value('tableGbPerMonth')).toBe(0);
  expect(value('dynamoDbStorageDollarsMonth12')).toBe(value('dynamoDbStorageDollars'));
  expect(value('firehoseDollars')).toBe(figureValue(twinstream, 'firehoseDollars'));
  expect(coalesced.map(({ key }) => key)).toEqual(twinstream.map(({ key }) => key));
});

test('what is stored grows to twelve times the history, and not the states', () => {
  const value = values(TEN_THOUSAND_BUSES);
  const history = value('tableGbPerMonth');
  const month = (months: number) => (months * history + value('stateGb')) * 0.25;
  expect(value('stateGb')).toBeCloseTo((10_000 * (363 + 0.79 * 171 + 100)) / 1e9, 10);
  expect(value('dynamoDbStorageDollars')).toBeCloseTo(month(1), 6);
  expect(value('dynamoDbStorageDollarsMonth12')).toBeCloseTo(month(12), 6);
  expect(value('recoveryDollarsMonth12')).toBeCloseTo(month(12) * 0.8, 6);
  expect(values(TEN_THOUSAND_BUSES, 'baseline')('tableGbPerMonth')).toBeCloseTo(
    (1_000 * SECONDS_A_MONTH * (94 + 0.9 * 171 + 100)) / 1e9,
    6,
  );
});

test('provisioned capacity costs its hours at a use of 70 %, less where reserved', () => {
  const value = values(TEN_THOUSAND_BUSES);
  const [writes, reads] = [1_000 * value('writeUnitsPerEvent'), 1_000 * 0.05];
  const provisioned = (730 * (writes * 0.00065 + reads * 0.00013)) / 0.7;
  expect(value('dynamoDbProvisionedDollars')).toBeCloseTo(provisioned, 6);
  expect(value('dynamoDbReservedThreeYearsDollars')).toBeCloseTo(provisioned * 0.23, 6);
  expect(value('dollarsProvisioned') - value('dollars')).toBeCloseTo(
    provisioned - value('dynamoDbDollars'),
    6,
  );
});

test('IoT Core bills tiers of messages, and with Basic Ingest none', () => {
  const value = values({ ...TEN_THOUSAND_BUSES, deviceCount: 100_000 });
  const events = 10_000 * SECONDS_A_MONTH;
  const messages = 1_000 + 4_000 * 0.8 + ((events - 5e9) / 1e6) * 0.7;
  expect(value('iotCoreDollars') - value('iotBasicIngestDollars')).toBeCloseTo(messages, 4);
});

test('On-demand Advantage bills 25 MiB/s at least, at 0.4 of the price of a GB', () => {
  const large = values({ ...TEN_THOUSAND_BUSES, deviceCount: 10_000_000 });
  expect(large('kinesisAdvantageDollars')).toBeCloseTo(
    0.4 * (large('kinesisOnDemandDollars') - 0.04 * 730),
    4,
  );
  const small = values(TEN_THOUSAND_BUSES);
  expect(small('kinesisAdvantageDollars')).toBeGreaterThan(small('kinesisOnDemandDollars'));
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
    expect(few.warnings.map(({ key }) => key)).toContain('full-batches');
    expect(many.warnings).toEqual([]);
    expect(figureValue(many.twinstream, 'eventsPerPage')).toBeCloseTo(many.workload.windowSeconds / 10, 1);
    expect(figureValue(many.twinstream, 'dollars')).toBeLessThan(figureValue(few.twinstream, 'dollars') / 2);
  });

  test('are as many as are asked for, or as the load needs where more would save nothing', () => {
    expect(chosen({ ...fleet, shardUse: 0.5 }).shardUse).toBe(0.5);
    expect(
      chosen({ ...fleet, deviceCount: 10_000, eventsPerSecondPerDevice: 0.001 }).shardUse,
    ).toBeUndefined();
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
    const heavy = { deviceCount: 8_000, eventsPerSecondPerDevice: 1, eventBytes: 100, isAggregated: true };
    expect(keys({ ...heavy, shardUse: 1, windowSeconds: 0 })).toEqual(['slow-projector']);
  });
});
