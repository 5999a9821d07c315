import {
  figureValue,
  PAGE_CHARACTERS_MAX,
  PAGE_EVENTS_MAX,
  planCapacity,
  type Workload,
} from '@twinstream/capacity';
import { PAGE_LIMITS } from '@twinstream/device-model';
import {
  dynamoDbLocalEngine,
  engineTitle,
  type TestDynamoDb,
} from '@twinstream/event-store/contract/dynamodb-engines';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Bill, type BilledLoad, billLoad } from '../src/projector-subjects/billed-load.ts';

/** At the size of most reports, and the counts that the project promises: what the plan says is what is paid. */
const TOLERANCE = 0.05;
/**
 * At any size and count. Units are whole: a page or a state that is planned a byte below 1 KB and is a byte above it costs one more, which is up to a half of
 * what one event alone pays. And a fleet's readings repeat themselves more or less: the page size fits a mix of them.
 */
const TOLERANCE_ANYWHERE = 0.25;
const RUNS = 12;
const RUNS_MS = 240_000;

const engine = dynamoDbLocalEngine();

test('pages are planned to be as large as they are made', () => {
  expect({ eventsMax: PAGE_EVENTS_MAX, charactersMax: PAGE_CHARACTERS_MAX }).toEqual({
    eventsMax: PAGE_LIMITS.eventsMax,
    charactersMax: PAGE_LIMITS.charactersMax,
  });
});

describe.skipIf(engine.skipped !== undefined)(engineTitle('the planned write units', engine), () => {
  let dynamoDb: TestDynamoDb;
  let loads = 0;
  beforeAll(async () => {
    dynamoDb = await engine.start();
  });
  afterAll(() => dynamoDb?.close());

  /** The plan of the same load over its bill, less 1. */
  const difference = async (load: BilledLoad): Promise<number> => {
    loads += 1;
    const bill = await billLoad(dynamoDb.client, `load-${loads}`, load);
    const planned = figureValue(planCapacity(workloadOf(load, bill))[load.design], 'writeUnitsPerEvent');
    return planned / bill.writeUnitsPerEvent - 1;
  };

  test.each([1, 10, 25])(
    'differ by a twentieth at most from what is billed at 170 bytes, %i events a page',
    async (eventsPerDevice) => {
      const load = { eventsPerDevice, eventBytes: 178, windowSeconds: 25, seed: 1 };
      const ours = { ...load, design: 'twinstream', deviceCount: 16, batchCount: 10 } as const;
      expect(Math.abs(await difference(ours))).toBeLessThanOrEqual(TOLERANCE);
      const baseline = { ...load, design: 'baseline', deviceCount: 3, batchCount: 3 } as const;
      expect(Math.abs(await difference(baseline))).toBeLessThanOrEqual(TOLERANCE);
    },
  );

  test(
    'differ by at most a quarter from what is billed, at any size and count',
    () =>
      fc.assert(
        fc.asyncProperty(anyLoad, async (load) => {
          expect(Math.abs(await difference(load))).toBeLessThanOrEqual(TOLERANCE_ANYWHERE);
        }),
        { numRuns: RUNS, endOnFailure: true },
      ),
    RUNS_MS,
  );
});

function workloadOf({ deviceCount, eventsPerDevice, windowSeconds }: BilledLoad, bill: Bill): Workload {
  return {
    deviceCount,
    eventsPerSecondPerDevice: eventsPerDevice / windowSeconds,
    eventBytes: bill.eventBytes,
    windowSeconds,
    // One shard, whose batches end with the window.
    isAggregated: true,
    shardUse: 1,
  };
}

/** A window of Lambda at most; events of a device are at least a third of a second apart: closer ones compress better than planned. */
const WINDOW_SECONDS = { min: 10, max: 300 };

/** As many small pages as large ones. */
const anyLoad: fc.Arbitrary<BilledLoad> = fc
  .record({
    eventsPowers: fc.double({ min: 0, max: 3, noNaN: true }),
    eventBytes: fc.integer({ min: 100, max: 1_000 }),
    seed: fc.integer({ min: 1, max: 1_000 }),
    design: fc.constantFrom('twinstream', 'twinstream', 'twinstream', 'baseline'),
  })
  .map(({ eventsPowers, eventBytes, seed, design }) => {
    const isOurs = design === 'twinstream';
    const eventsPerDevice = Math.round(10 ** (isOurs ? eventsPowers : eventsPowers / 3));
    return {
      design,
      deviceCount: isOurs ? 8 : 3,
      eventsPerDevice,
      eventBytes,
      windowSeconds: Math.min(WINDOW_SECONDS.max, Math.max(WINDOW_SECONDS.min, eventsPerDevice)),
      batchCount: 2,
      seed,
    };
  });
