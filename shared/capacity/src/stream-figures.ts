import { RETENTION_HOURS } from '@twinstream/stream-model';
import { ASSUMPTION_SOURCE, ASSUMPTIONS } from './assumptions.ts';
import type { Batches } from './batches.ts';
import { type CapacityFigure, figure, readable } from './figure.ts';
import { GB, HOURS_A_MONTH, PRICE_SOURCE, PRICES, SECONDS_A_MONTH } from './prices.ts';
import { reservedInvocations, UNRESERVED_EXECUTIONS_MIN } from './reserved-concurrency.ts';
import { BATCH_RECORDS_MAX } from './stream-load.ts';
import { CONSUMERS } from './stream-readers.ts';
import type { CompleteWorkload } from './workload.ts';

/** As the mappings have it; a test of the stacks holds them equal. */
const PARALLELIZATION_FACTOR = 1;
const PUT_UNIT_BYTES = 25 * 1024;
const KB = 1_024;
const MAPPING_SOURCE = 'Lambda with Kinesis: a poll a second, 10,000 records or 6 MB a batch, read 2026-11';
const SHARD_SOURCE =
  'Kinesis quotas and limits: 1 MiB/s or 1,000 records/s into a shard, 2 MiB/s out of it, read 2026-11';

/** What both designs have alike: stream, shards, batches. */
export function streamFigures(workload: CompleteWorkload, batches: Batches): CapacityFigure[] {
  return [
    ...loadFigures(workload, batches),
    ...batchFigures(workload, batches),
    ...streamPrices(workload, batches),
  ];
}

function loadFigures(workload: CompleteWorkload, batches: Batches): CapacityFigure[] {
  const {
    deviceCount,
    eventsPerSecondPerDevice,
    eventBytes,
    isAggregated,
    shardUse,
    lingerSeconds,
    producerCount,
    readerCount,
  } = workload;
  return [
    figure(
      'eventsPerSecond',
      'events',
      batches.eventsPerSecond,
      'events/s',
      `${readable(deviceCount)} devices × ${readable(eventsPerSecondPerDevice)}/s`,
      'the workload',
    ),
    figure(
      'bytesPerSecond',
      'bytes into the stream',
      batches.bytesPerSecond,
      'bytes/s',
      `events × (${eventBytes} + ${ASSUMPTIONS.keyBytes} bytes of key)${isAggregated ? ' + framing of aggregates' : ''}`,
      'the workload',
    ),
    figure(
      'lingerSeconds',
      'linger of the producers',
      lingerSeconds,
      's',
      isAggregated ? 'as given, or the cheapest within the latency budget; 0.05 otherwise' : 'their default',
      ASSUMPTION_SOURCE,
    ),
    figure(
      'eventsPerRecord',
      'events of a record',
      batches.eventsPerRecord,
      'events',
      isAggregated
        ? `m / (1 − e^−m), m = events / (${readable(producerCount)} producers × shards × ${ASSUMPTIONS.lanesPerShard} lanes) × linger; ${readable(ASSUMPTIONS.aggregateBytes)} bytes at most`
        : 'not aggregated',
      ASSUMPTION_SOURCE,
    ),
    figure(
      'recordsPerSecond',
      'Kinesis records',
      batches.recordsPerSecond,
      'records/s',
      `events / events of a record; ${readable(batches.recordBytes)} bytes each`,
      ASSUMPTION_SOURCE,
    ),
    figure(
      'shards',
      'shards',
      batches.shardCount,
      'shards',
      `largest of bytes / 1 MiB, records / 1,000 and bytes × ${readerCount} readers / 2 MiB, over a use of ${readable(shardUse)}`,
      SHARD_SOURCE,
    ),
  ];
}

function batchFigures({ windowSeconds }: CompleteWorkload, batches: Batches): CapacityFigure[] {
  return [
    figure(
      'batchSeconds',
      'between two batches of a shard',
      batches.batchSeconds,
      's',
      `the window of ${windowSeconds} s, at least a poll, unless ${readable(BATCH_RECORDS_MAX)} records or 6 MiB (records in base64 + ${ASSUMPTIONS.envelopeBytes} bytes each) come before`,
      MAPPING_SOURCE,
    ),
    figure(
      'eventsPerBatch',
      'events of a batch',
      batches.eventsPerBatch,
      'events',
      'events / shards × time between batches',
      MAPPING_SOURCE,
    ),
    figure(
      'concurrency',
      'concurrent invocations',
      batches.shardCount * CONSUMERS * PARALLELIZATION_FACTOR,
      'invocations',
      `${CONSUMERS} functions × shards × parallelization factor ${PARALLELIZATION_FACTOR}`,
      MAPPING_SOURCE,
    ),
    figure(
      'reservedConcurrency',
      'reserved concurrency',
      CONSUMERS * reservedInvocations(batches.shardCount, PARALLELIZATION_FACTOR),
      'invocations',
      `what a stage reserves: ${CONSUMERS} functions × twice the shards; an account needs ${UNRESERVED_EXECUTIONS_MIN} besides`,
      'shared/capacity/src/reserved-concurrency.ts, read 2026-12',
    ),
  ];
}

function streamPrices(
  { readerCount }: CompleteWorkload,
  { shardCount, recordsPerSecond, recordBytes, bytesPerSecond }: Batches,
) {
  const { kinesis } = PRICES;
  const hourly = shardCount * (kinesis.shardHour + kinesis.retentionShardHour);
  const putUnits = recordsPerSecond * Math.ceil(recordBytes / PUT_UNIT_BYTES);
  const gbIn = (recordsPerSecond * Math.ceil(recordBytes / KB) * KB * SECONDS_A_MONTH) / GB;
  const gbOut = (bytesPerSecond * readerCount * SECONDS_A_MONTH) / GB;
  const gbKept = (bytesPerSecond * (RETENTION_HOURS - 24) * 3_600) / GB;
  const onDemandGbDollars =
    gbIn * kinesis.onDemandGbIn + gbOut * kinesis.onDemandGbOut + gbKept * kinesis.onDemandGbMonthRetained;
  return [
    figure(
      'kinesisProvisionedDollars',
      'Kinesis, provisioned',
      HOURS_A_MONTH * hourly + SECONDS_A_MONTH * putUnits * kinesis.putPayloadUnit,
      'USD/month',
      `shards × hours × (shard + retention of ${RETENTION_HOURS} h) + put units of 25 KB`,
      PRICE_SOURCE,
    ),
    figure(
      'kinesisOnDemandDollars',
      'Kinesis, on demand',
      kinesis.onDemandStreamHour * HOURS_A_MONTH + onDemandGbDollars,
      'USD/month',
      `stream-hours + GB in (records round up to 1 KB) + GB out to ${readerCount} readers + GB kept beyond the first day`,
      PRICE_SOURCE,
    ),
    figure(
      'kinesisAdvantageDollars',
      'Kinesis, On-demand Advantage',
      onDemandGbDollars *
        kinesis.advantageShare *
        Math.max(1, kinesis.advantageBytesPerSecondMin / bytesPerSecond),
      'USD/month',
      `${kinesis.advantageShare} × the GB on demand, at least 25 MiB/s, without stream-hours; a setting of the account`,
      `${PRICE_SOURCE}; "Choose the right mode", Kinesis developer guide, read 2026-12`,
    ),
  ];
}
