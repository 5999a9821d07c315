import {
  SHARD_IN_BYTES_PER_SECOND,
  SHARD_IN_RECORDS_PER_SECOND,
  SHARD_OUT_BYTES_PER_SECOND,
} from '@twinstream/stream-model';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { BATCH_RECORDS_MAX, figureValue, planCapacity, type Workload } from '../src/index.ts';
import { eventsOfPageMax } from '../src/page-size.ts';

const workloads: fc.Arbitrary<Workload> = fc.record({
  deviceCount: fc.integer({ min: 1, max: 1_000_000 }),
  eventsPerSecondPerDevice: fc.double({ min: 0.0001, max: 50, noNaN: true }),
  eventBytes: fc.integer({ min: 40, max: 4_000 }),
  isAggregated: fc.boolean(),
  arrivals: fc.constantFrom('regular', 'random'),
  windowSeconds: fc.integer({ min: 0, max: 300 }),
  stateBytes: fc.integer({ min: 200, max: 5_000 }),
});

test('the shards take what comes and give it to every reader, and one fewer would be fuller than asked for', () => {
  fc.assert(
    fc.property(workloads, (given) => {
      const { twinstream, workload } = planCapacity(given);
      const shards = figureValue(twinstream, 'shards');
      const load = Math.max(
        figureValue(twinstream, 'bytesPerSecond') / SHARD_IN_BYTES_PER_SECOND,
        figureValue(twinstream, 'recordsPerSecond') / SHARD_IN_RECORDS_PER_SECOND,
        (figureValue(twinstream, 'bytesPerSecond') * workload.readerCount) / SHARD_OUT_BYTES_PER_SECOND,
      );
      expect(load / shards).toBeLessThanOrEqual(0.6 + 1e-9);
      if (shards > 1) expect(load / (shards - 1)).toBeGreaterThan(0.6 - 1e-9);
    }),
  );
});

test('a page holds at least one event, and a batch no more records than Lambda hands over', () => {
  fc.assert(
    fc.property(workloads, (workload) => {
      const { twinstream } = planCapacity(workload);
      expect(figureValue(twinstream, 'eventsPerPage')).toBeGreaterThanOrEqual(1);
      const records =
        (figureValue(twinstream, 'recordsPerSecond') / figureValue(twinstream, 'shards')) *
        figureValue(twinstream, 'batchSeconds');
      expect(records).toBeLessThanOrEqual(BATCH_RECORDS_MAX * (1 + 1e-9));
    }),
  );
});

test('a longer window gathers at least as many events of a device to a page, until pages are half full', () => {
  fc.assert(
    fc.property(workloads, fc.integer({ min: 1, max: 30 }), (workload, more) => {
      const { windowSeconds = 1 } = workload;
      const eventsPerPage = (seconds: number) =>
        figureValue(planCapacity({ ...workload, windowSeconds: seconds }).twinstream, 'eventsPerPage');
      const longer = Math.min(300, windowSeconds + more);
      const halfFull = eventsOfPageMax(workload.eventBytes) / 2;
      const before = Math.min(halfFull, eventsPerPage(windowSeconds));
      expect(eventsPerPage(longer)).toBeGreaterThanOrEqual(before * (1 - 1e-9));
    }),
  );
});

test('a longer window costs no more write units an event', () => {
  fc.assert(
    fc.property(workloads, (workload) => {
      const units = (windowSeconds: number) =>
        figureValue(planCapacity({ ...workload, windowSeconds }).twinstream, 'writeUnitsPerEvent');
      expect(units(300)).toBeLessThanOrEqual(units(0) * 1.001);
    }),
  );
});
