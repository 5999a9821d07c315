import { createLogger } from '@twinstream/runtime';
import { type BatchSummary, embeddedMetrics, METRICS } from '@twinstream/state-projector/metrics';
import { Registry } from 'prom-client';
import { expect, test } from 'vitest';
import { projectorMetrics } from '../../src/pipeline/embedded-metrics.ts';

/** A line of the projector's log, written as the projector writes it. */
function logLine(values: Partial<BatchSummary>): string {
  let text = '';
  const logger = createLogger('state-projector', 'info', { write: (line) => (text += line) });
  const zero = Object.fromEntries(Object.keys(METRICS).map((name) => [name, 0]));
  const summary = { requestId: 'r', streamName: 's', shardId: 'shard-1', ...zero, ...values } as BatchSummary;
  logger.info(embeddedMetrics(summary, 1), 'batch');
  return text.trim();
}

test('counts of a batch are added up, times are seconds in histograms', async () => {
  const registry = new Registry();
  const log = projectorMetrics(registry);
  expect(log.observe(logLine({ applied: 20, conflicts: 1, durationMs: 40, oldestArrivalAgeMs: 1_500 }))).toBe(
    true,
  );
  expect(log.observe(logLine({ applied: 5, durationMs: 8 }))).toBe(true);
  const text = await registry.metrics();
  expect(text).toContain('\ntwinstream_projector_applied_total 25\n');
  expect(text).toContain('\ntwinstream_projector_conflicts_total 1\n');
  expect(text).toContain('\ntwinstream_projector_duration_seconds_sum 0.048\n');
  expect(text).toContain('\ntwinstream_projector_oldest_arrival_age_seconds_bucket{le="1"} 1\n');
  expect(text).toContain('\ntwinstream_projector_oldest_arrival_age_seconds_bucket{le="2.5"} 2\n');
});

test('every metric of the projector is there from the start, by a name of Prometheus', async () => {
  const registry = new Registry();
  projectorMetrics(registry);
  const names = registry.getMetricsAsArray().map(({ name }) => name);
  expect(names).toHaveLength(Object.keys(METRICS).length);
  for (const name of names)
    expect(name).toMatch(/^twinstream_projector_[a-z]+(?:_[a-z]+)*_(?:total|seconds)$/);
  expect(await registry.metrics()).toContain('\ntwinstream_projector_key_mismatches_total 0\n');
});

test.each(['', 'Error: no', '{"level":40,"msg":"x"}', '{"_aws":{', '"_aws":{}', '[{"_aws":{}}]'])(
  'takes nothing from %s',
  (line) => {
    expect(projectorMetrics(new Registry()).observe(line)).toBe(false);
  },
);
