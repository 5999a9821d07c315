import { shardId } from '@twinstream/stream-model';
import { processExposition } from '@twinstream/telemetry';
import { expect, test } from 'vitest';
import { newCounters } from '../../src/kinesis/kinesis-counters.ts';
import { mappingMetrics } from '../../src/lambda/mapping-metrics.ts';
import { emulatorMetrics } from '../../src/pipeline/emulator-metrics.ts';

test('what stream and mappings count is what a scrape reads, by operation and by function', async () => {
  const counters = newCounters();
  const projector = mappingMetrics();
  const expose = processExposition(
    'emulators',
    emulatorMetrics({
      kinesis: () => counters,
      mappings: () => [
        {
          mappingId: 'm',
          functionName: 'state-projector',
          streamName: 'device-events',
          state: 'Enabled',
          shards: projector.shards(),
        },
      ],
    }),
  );
  expect((await expose()).text).toContain('\ntwinstream_kinesis_records_accepted_total 0\n');
  counters.recordsAccepted = 12;
  counters.requests.PutRecords = 3;
  for (const shard of ['shardId-000000000000', 'shardId-000000000001']) {
    projector.observe(shardId(shard), { kind: 'read', records: 6, millisBehindLatest: 250 });
    projector.observe(shardId(shard), { kind: 'invoked', records: 6, outcome: 'answered' });
  }
  const { text } = await expose();
  expect(text).toContain('\ntwinstream_kinesis_records_accepted_total 12\n');
  expect(text).toContain('\ntwinstream_kinesis_requests_total{operation="PutRecords"} 3\n');
  expect(text).toContain('\ntwinstream_mapping_invocations_total{function="state-projector"} 2\n');
  expect(text).toContain('\ntwinstream_mapping_records_total{function="state-projector"} 12\n');
  expect(text).toContain(
    '\ntwinstream_mapping_behind_latest_seconds{function="state-projector",shard="shardId-000000000001"} 0.25\n',
  );
});
