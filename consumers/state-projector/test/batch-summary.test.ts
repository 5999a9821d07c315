import { deviceId, noOutcomes } from '@twinstream/device-model';
import type { DeviceReport } from '@twinstream/projection';
import { CodedError } from '@twinstream/runtime';
import { readBatch } from '@twinstream/stream-model';
import { lambdaBatch } from '@twinstream/stream-model/testing';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { batchSummary, embeddedMetrics, METRICS } from '../src/batch-summary.ts';
import { projectorFixture, record, reported, T0 } from './projector-fixture.ts';

const BATCH = readBatch(lambdaBatch({ records: [record(1, reported(1)), record(2, reported(2))] }));
const OPENED = { devices: [], poison: [], eventCount: 2, keyMismatchCount: 1, ignoredCount: 0 };
const REPORT: DeviceReport = {
  outcomes: { ...noOutcomes(), applied: 2, duplicate: 1 },
  pages: 1,
  conflicts: 0,
  headHit: true,
  historyReads: 0,
  snapshots: 1,
  refused: [],
  stateRejected: false,
  writeUnits: 2,
};

function summaryOf(reports: readonly DeviceReport[], unfinished: readonly { error: unknown }[] = []) {
  const times = { startedTime: T0 + 5_000, finishedTime: T0 + 5_040, overlaps: false };
  return batchSummary({ requestId: 'request', batch: BATCH, opened: OPENED, reports, unfinished, ...times });
}

describe('the summary of a batch', () => {
  test('adds up what its devices came to', () => {
    const rejected = { ...REPORT, headHit: false, stateRejected: true, conflicts: 3 };
    expect(summaryOf([REPORT, rejected])).toMatchObject({
      records: 2,
      events: 2,
      applied: 4,
      duplicates: 2,
      pages: 2,
      conflicts: 3,
      headHits: 1,
      stateRejections: 1,
      writeUnits: 4,
      snapshots: 2,
      keyMismatches: 1,
      unfinished: 0,
    });
  });

  test('tells how long it took, and how old its oldest record was at its end', () => {
    expect(summaryOf([])).toMatchObject({ durationMs: 40, oldestArrivalAgeMs: 5_039 });
  });

  test('names the code of what went wrong first, or the class of an error without one', () => {
    const coded = new CodedError('DYNAMODB_THROTTLED', 'slow', { retryable: true });
    expect(summaryOf([], [{ error: coded }, { error: new TypeError('x') }])).toMatchObject({
      unfinished: 2,
      firstFailure: 'DYNAMODB_THROTTLED',
    });
    expect(summaryOf([], [{ error: new TypeError('x') }]).firstFailure).toBe('TypeError');
    expect(summaryOf([], [{ error: 'x' }]).firstFailure).toBe('unknown');
    expect(summaryOf([], [{ error: { code: 'X' } }]).firstFailure).toBe('unknown');
    const numbered = Object.assign(new RangeError('x'), { code: 7 });
    expect(summaryOf([], [{ error: numbered }]).firstFailure).toBe('RangeError');
    expect(summaryOf([])).not.toHaveProperty('firstFailure');
  });

  test('names mappings only where some are in use', () => {
    expect(summaryOf([])).not.toHaveProperty('mapping');
  });

  test('counts entries in quarantine, not records', async () => {
    const { deliver, summaries } = projectorFixture();
    await deliver([record(1, 'not JSON'), record(2, reported(1, {}, deviceId('bus-2')))]);
    expect(summaries).toMatchObject([{ quarantined: 1, events: 1, devices: 1 }]);
  });
});

/*
 * CloudWatch user guide, "Specification: Embedded metric format", JSON schema of the root node: at most 100
 * metrics and 30 dimensions of a directive, names of 1-1,024 characters, units of a fixed list.
 */
const UNITS = [
  'Seconds',
  'Microseconds',
  'Milliseconds',
  'Bytes',
  'Count',
  'Percent',
  'None',
  'Count/Second',
];
const NAME = z.string().min(1).max(1_024);
const ROOT_NODE = z.object({
  _aws: z.object({
    Timestamp: z.number().int().nonnegative(),
    CloudWatchMetrics: z.array(
      z.object({
        Namespace: NAME,
        Dimensions: z.array(z.array(NAME.max(250)).min(1).max(30)).min(1),
        Metrics: z.array(z.object({ Name: NAME, Unit: z.enum(UNITS) })).max(100),
      }),
    ),
  }),
});

describe('the embedded metrics', () => {
  const read = () => JSON.parse(JSON.stringify(embeddedMetrics(summaryOf([REPORT]), T0)));

  test('are a root node of the format', () => {
    expect(ROOT_NODE.parse(read())._aws.Timestamp).toBe(T0);
  });

  test('name only members that are there: dimensions as texts, metrics as numbers', () => {
    const document = read();
    const { _aws } = ROOT_NODE.parse(document);
    for (const { Dimensions, Metrics } of _aws.CloudWatchMetrics) {
      for (const name of Dimensions.flat()) expect(document[name], name).toEqual(expect.any(String));
      for (const { Name } of Metrics) expect(document[Name], Name).toEqual(expect.any(Number));
    }
  });

  test('are all the metrics there are, each with its unit', () => {
    const [directive] = ROOT_NODE.parse(read())._aws.CloudWatchMetrics;
    expect(Object.fromEntries(directive?.Metrics.map(({ Name, Unit }) => [Name, Unit]) ?? [])).toEqual(
      Object.fromEntries(Object.entries(METRICS).map(([name, { unit }]) => [name, unit])),
    );
  });
});
