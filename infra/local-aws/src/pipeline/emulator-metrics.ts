import type { ScrapedMetric, ScrapedSample } from '@twinstream/telemetry';
import type { KinesisCounters } from '../kinesis/kinesis-counters.ts';
import type { MappingStatus } from '../lambda/lambda.ts';
import type { ShardMetrics } from '../lambda/mapping-metrics.ts';

export interface CountedEmulators {
  readonly kinesis: () => KinesisCounters;
  readonly mappings: () => readonly MappingStatus[];
}

const MS_PER_SECOND = 1_000;

/** What the stream has taken and refused, and what the event source mappings have done, by function. */
export function emulatorMetrics({ kinesis, mappings }: CountedEmulators): readonly ScrapedMetric[] {
  return [
    ...kinesisTotals(kinesis),
    {
      type: 'counter',
      name: 'twinstream_kinesis_requests_total',
      help: 'Requests to the stream, by operation.',
      labelNames: ['operation'],
      samples: () => byName(kinesis().requests, 'operation'),
    },
    {
      type: 'counter',
      name: 'twinstream_kinesis_refusals_total',
      help: 'Requests to the stream that were refused as a whole, by the name of the error.',
      labelNames: ['error'],
      samples: () => byName(kinesis().refusals, 'error'),
    },
    ...mappingTotals(mappings),
    {
      type: 'gauge',
      name: 'twinstream_mapping_behind_latest_seconds',
      help: 'Time between the last record that a mapping has read and the newest record of the shard then.',
      labelNames: ['function', 'shard'],
      samples: () =>
        mappings().flatMap(({ functionName, shards }) =>
          Object.entries(shards).map(([shard, { millisBehindLatest }]) => ({
            labels: { function: functionName, shard },
            value: millisBehindLatest / MS_PER_SECOND,
          })),
        ),
    },
  ];
}

type KinesisTotal = {
  [Name in keyof KinesisCounters]: KinesisCounters[Name] extends number ? Name : never;
}[keyof KinesisCounters];

const KINESIS_TOTALS: Readonly<Record<KinesisTotal, readonly [name: string, help: string]>> = {
  recordsAccepted: ['records_accepted', 'Records that the stream has taken.'],
  bytesAccepted: ['bytes_accepted', 'Data and partition keys that the stream has taken, in bytes.'],
  recordsThrottled: ['records_throttled', 'Records refused because their shard was at its limit.'],
  recordsFailed: [
    'records_failed',
    'Records refused because memory was full or the disk could not be written.',
  ],
  recordsRead: ['records_read', 'Records that readers were given.'],
  bytesRead: ['bytes_read', 'Data and partition keys that readers were given, in bytes.'],
  readsThrottled: ['reads_throttled', 'Reads refused because their shard was at its limit.'],
};

function kinesisTotals(counters: () => KinesisCounters): readonly ScrapedMetric[] {
  return Object.entries(KINESIS_TOTALS).map(([member, [name, help]]) => ({
    type: 'counter',
    name: `twinstream_kinesis_${name}_total`,
    help,
    samples: () => [{ value: counters()[member as KinesisTotal] }],
  }));
}

const MAPPING_TOTALS: Readonly<
  Record<Exclude<keyof ShardMetrics, 'millisBehindLatest'>, readonly [name: string, help: string]>
> = {
  records: ['records', 'Records that a mapping has read.'],
  filtered: ['filtered_records', 'Records that the filter of a mapping left out.'],
  invocations: ['invocations', 'Invocations of a function by its mapping.'],
  functionErrors: ['function_errors', 'Invocations that ended with an error of the function.'],
  unavailable: ['unavailable', 'Invocations that reached no function: none was up, or all were busy.'],
  partialAnswers: ['partial_answers', 'Batches of which the function finished a part.'],
  bisections: ['bisections', 'Batches that were halved after an error.'],
  retries: ['retries', 'Batches that were delivered again.'],
  discarded: ['discarded_records', 'Records given up, and kept at the failure destination.'],
  discardFailures: ['discard_failures', 'Times that the failure destination did not take a batch.'],
  readThrottles: ['read_throttles', 'Reads that the stream throttled.'],
  readFailures: ['read_failures', 'Reads that failed for another cause.'],
};

function mappingTotals(mappings: () => readonly MappingStatus[]): readonly ScrapedMetric[] {
  return Object.entries(MAPPING_TOTALS).map(([member, [name, help]]) => ({
    type: 'counter',
    name: `twinstream_mapping_${name}_total`,
    help,
    labelNames: ['function'],
    samples: () =>
      mappings().map(({ functionName, shards }) => ({
        labels: { function: functionName },
        value: Object.values(shards).reduce(
          (sum, shard) => sum + shard[member as keyof typeof MAPPING_TOTALS],
          0,
        ),
      })),
  }));
}

function byName(counts: Readonly<Record<string, number>>, label: string): readonly ScrapedSample[] {
  return Object.entries(counts).map(([name, value]) => ({ labels: { [label]: name }, value }));
}
