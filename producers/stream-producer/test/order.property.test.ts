import fc from 'fast-check';
import { expect, test } from 'vitest';
import { retryCount } from '../src/metrics.ts';
import { auditAcknowledgements, auditStream, CLEAN, eventsIn } from '../src/testing/stream-audit.ts';
import { asKclReads } from './kcl-reader.ts';
import { reshard, runScenario, type Scenario, type ScenarioResult } from './scenario.ts';

/** The faults of the issue, and requests that never arrive or arrive long after the caller gave them up. */
const FAULTS = {
  recordFails: 0.1,
  requestThrottled: 0.05,
  answerLost: 0.01,
  requestLost: 0.005,
  landsLate: 0.005,
};
const EVENTS = 1_200;

type Tuning = NonNullable<Scenario['producer']>;

const load = (seed: number, aggregate: boolean, tuning: Tuning = {}): Scenario => ({
  seed,
  deviceCount: 60,
  eventCount: EVENTS,
  eventsPerMs: 4,
  stub: { faults: FAULTS, shardsPerPage: 3 },
  // Small aggregates and a small buffer, so that limits are met all the time.
  producer: {
    aggregate,
    lingerMs: 20,
    aggregateBytesMax: 600,
    bufferBytesMax: 200_000,
    recordBytesMax: 50_000,
    ...tuning,
  },
  during: new Map([
    [300, reshard],
    [600, reshard],
    [605, reshard],
    [900, reshard],
  ]),
});

function expectAllInOrder({ stub, counts, acknowledged, failed, report, metrics }: ScenarioResult): void {
  expect(auditStream(stub, counts)).toMatchObject({ ...CLEAN, distinctCount: EVENTS });
  expect(auditAcknowledgements(stub, acknowledged)).toEqual([]);
  expect(acknowledged).toHaveLength(EVENTS);
  expect(failed).toEqual([]);
  expect(report).toEqual({ acknowledgedCount: EVENTS, failedCount: 0, failed: [] });
  expect(metrics).toMatchObject({
    userRecordsPending: 0,
    bufferedBytes: 0,
    putsWaiting: 0,
    requestsInFlight: 0,
  });
}

function expectTrueCounts({ stub, acknowledged, metrics }: ScenarioResult): void {
  expect(metrics).toMatchObject({
    userRecordsPut: EVENTS,
    userRecordsAcknowledged: EVENTS,
    userRecordsFailed: 0,
    requestsSent: stub.counts.requests,
    requestsAnswered: stub.counts.requestsAnswered,
    requestsThrottled: stub.counts.requestsThrottled,
    requestsUnanswered: stub.counts.requests - stub.counts.requestsAnswered - stub.counts.requestsThrottled,
    requestsRefused: 0,
    recordsSent: stub.counts.records,
    bytesSent: stub.counts.bytes,
    recordsAcknowledged: stub.counts.storedAnswers,
    recordsThrottled: stub.counts.throttledAnswers,
    recordsRejected: stub.counts.rejectedAnswers,
  });
  const attempts = acknowledged.reduce((sum, outcome) => sum + outcome.attempts, 0);
  expect(metrics.userRecordsSent).toBe(attempts);
  expect(metrics.userRecordsSent).toBe(EVENTS + retryCount(metrics));
  expect(metrics.bufferingTime.count).toBe(EVENTS);
}

const seeds = fc.integer({ min: 0, max: 2 ** 31 });
/** Tiny limits, so that rare paths run. */
const tunings: fc.Arbitrary<Tuning> = fc.record({
  lingerMs: fc.constantFrom(0, 1, 20, 200),
  aggregateBytesMax: fc.constantFrom(1, 100, 600, 5_000),
  aggregateRecordsMax: fc.constantFrom(1, 2, 1_000),
  requestRecordsMax: fc.constantFrom(1, 3, 500),
  requestsInFlightMax: fc.constantFrom(1, 2, 16),
  requestTimeoutMs: fc.constantFrom(50, 200, 30_000),
  backoff: fc.constantFrom({ baseMs: 1, capMs: 5 }, { baseMs: 100, capMs: 5_000 }),
  shardRecordsPerSecond: fc.constantFrom(200, 1_000, Number.POSITIVE_INFINITY),
  deadlineMs: fc.constant(86_400_000),
});

test.each([
  ['without aggregation', false],
  ['with aggregation', true],
])(
  '%s every device keeps its order and nothing is lost, whatever fails and however shards split and merge',
  async (_, aggregate) => {
    await fc.assert(
      fc.asyncProperty(seeds, tunings, async (seed, tuning) => {
        const result = await runScenario(load(seed, aggregate, tuning));
        expectAllInOrder(result);
        expectTrueCounts(result);
        expect(result.bufferedBytesMax).toBeLessThanOrEqual(200_000);
      }),
      { numRuns: 20 },
    );
  },
);

test('with `resend` a reader that drops mixed aggregates as a whole gets every event in the order of its device', async () => {
  await fc.assert(
    fc.asyncProperty(seeds, tunings, async (seed, tuning) => {
      const result = await runScenario(load(seed, true, { ...tuning, mixedAggregates: 'resend' }));
      expectAllInOrder(result);
      expectTrueCounts(result);
      expect(auditStream(asKclReads(result.stub), result.counts)).toMatchObject({
        ...CLEAN,
        distinctCount: EVENTS,
      });
    }),
    { numRuns: 6 },
  );
});

test('the same seed produces the same stream, byte for byte', async () => {
  await fc.assert(
    fc.asyncProperty(seeds, async (seed) => {
      const [first, second] = [await runScenario(load(seed, true)), await runScenario(load(seed, true))];
      expect(second.stub.records).toEqual(first.stub.records);
      expect(second.metrics).toEqual(first.metrics);
    }),
    { numRuns: 5 },
  );
});

test('with deadlines that pass, each record has one outcome, and no failed record was stored without a warning', async () => {
  await fc.assert(
    fc.asyncProperty(seeds, fc.boolean(), async (seed, aggregate) => {
      const scenario = load(seed, aggregate);
      const { stub, counts, acknowledged, failed, report } = await runScenario({
        ...scenario,
        producer: {
          ...scenario.producer,
          deadlineMs: 300,
          requestTimeoutMs: 100,
          backoff: { baseMs: 50, capMs: 200 },
        },
      });
      expect(acknowledged.length + failed.length).toBe(EVENTS);
      expect(report).toMatchObject({ acknowledgedCount: acknowledged.length, failedCount: failed.length });
      const stored = eventsIn(stub.records);
      for (const { record, possiblyStored, reason, attempts } of failed) {
        expect(reason.code).toBe('EVENT_EXPIRED');
        const text = Buffer.from(record.data).toString();
        if (stored.has(text)) expect({ text, possiblyStored }).toEqual({ text, possiblyStored: true });
        if (possiblyStored) expect(attempts).toBeGreaterThan(0);
      }
      const { lost, otherFaults } = auditStream(stub, counts);
      const failedTexts = new Set(failed.map(({ record }) => Buffer.from(record.data).toString()));
      expect(lost.filter((text) => !failedTexts.has(text))).toEqual([]);
      expect(otherFaults).toEqual([]);
    }),
    { numRuns: 20 },
  );
});
