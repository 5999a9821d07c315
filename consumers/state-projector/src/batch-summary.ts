import type { EntryDecoder } from '@twinstream/device-model';
import type { DeviceReport, OpenedBatch } from '@twinstream/projection';
import type { StreamBatch } from '@twinstream/stream-model';

/** Unit and meaning of each metric. Units are CloudWatch's. */
export const METRICS = {
  records: { unit: 'Count', meaning: 'Kinesis records in the batch' },
  events: { unit: 'Count', meaning: 'valid events in those records' },
  applied: { unit: 'Count', meaning: 'events stored, in order' },
  late: { unit: 'Count', meaning: 'events stored after newer ones of their device' },
  duplicates: { unit: 'Count', meaning: 'events sent twice, not stored' },
  redelivered: { unit: 'Count', meaning: 'events that the stream delivered again, not stored' },
  quarantined: { unit: 'Count', meaning: 'entries of invalid records, and refused corrections' },
  ignored: { unit: 'Count', meaning: 'records, or parts of them, that a mapping makes nothing of' },
  keyMismatches: { unit: 'Count', meaning: 'events whose partition key is not their device id' },
  devices: { unit: 'Count', meaning: 'devices in the batch' },
  unfinished: { unit: 'Count', meaning: 'devices and quarantined records left for the next delivery' },
  pages: { unit: 'Count', meaning: 'pages appended' },
  conflicts: { unit: 'Count', meaning: 'pages of other writers met at the key' },
  headHits: { unit: 'Count', meaning: 'devices whose state was in memory' },
  historyReads: { unit: 'Count', meaning: 'times that the event store had to decide what is a duplicate' },
  snapshots: { unit: 'Count', meaning: 'snapshots written' },
  stateRejections: { unit: 'Count', meaning: 'states that the table refuses: alarm' },
  progressOverlaps: {
    unit: 'Count',
    meaning: 'batches that showed a parallelization factor above the configured one',
  },
  writeUnits: {
    unit: 'Count',
    meaning: 'write units consumed by pages and states, where the table reports them',
  },
  durationMs: { unit: 'Milliseconds', meaning: 'from the start of the invocation to its answer' },
  oldestArrivalAgeMs: {
    unit: 'Milliseconds',
    meaning: 'age of the oldest record when its batch was finished',
  },
} as const;
export type MetricName = keyof typeof METRICS;

export type BatchSummary = Readonly<Record<MetricName, number>> & {
  readonly requestId: string;
  readonly streamName: string;
  readonly shardId: string;
  /** The mappings in use, as `name@version`, separated by a space; absent without any. */
  readonly mapping?: string;
  /** What went wrong first, if anything did: an error's code, or its name. */
  readonly firstFailure?: string;
};

interface BatchResults {
  readonly requestId: string;
  readonly batch: StreamBatch;
  readonly opened: OpenedBatch;
  /** Default: none. */
  readonly mappings?: EntryDecoder['mappings'];
  readonly reports: readonly DeviceReport[];
  readonly unfinished: readonly { readonly error: unknown }[];
  /** Whether another batch of the same stretch of the shard was under way. */
  readonly overlaps: boolean;
  readonly startedTime: number;
  readonly finishedTime: number;
}

/** What one batch came to, in numbers. */
export function batchSummary(results: BatchResults): BatchSummary {
  const {
    requestId,
    batch,
    opened,
    reports,
    unfinished,
    overlaps,
    startedTime,
    finishedTime,
    mappings = [],
  } = results;
  const sum = (of: (report: DeviceReport) => number) => reports.reduce((total, one) => total + of(one), 0);
  return {
    requestId,
    streamName: batch.streamName,
    shardId: batch.shardId,
    records: batch.records.length,
    events: opened.eventCount,
    applied: sum(({ outcomes }) => outcomes.applied),
    late: sum(({ outcomes }) => outcomes.late),
    duplicates: sum(({ outcomes }) => outcomes.duplicate),
    redelivered: sum(({ outcomes }) => outcomes.redelivered),
    quarantined:
      opened.poison.reduce((total, { entries }) => total + entries.length, 0) +
      sum(({ refused }) => refused.length),
    ignored: opened.ignoredCount,
    keyMismatches: opened.keyMismatchCount,
    devices: opened.devices.length,
    unfinished: unfinished.length,
    pages: sum(({ pages }) => pages),
    conflicts: sum(({ conflicts }) => conflicts),
    headHits: sum(({ headHit }) => Number(headHit)),
    historyReads: sum(({ historyReads }) => historyReads),
    snapshots: sum(({ snapshots }) => snapshots),
    stateRejections: sum(({ stateRejected }) => Number(stateRejected)),
    progressOverlaps: Number(overlaps),
    writeUnits: sum(({ writeUnits }) => writeUnits),
    durationMs: finishedTime - startedTime,
    oldestArrivalAgeMs: finishedTime - (batch.records[0]?.arrivalTime ?? finishedTime),
    ...(mappings.length === 0 ? {} : { mapping: mappings.join(' ') }),
    ...(unfinished.length === 0 ? {} : { firstFailure: failureName(unfinished[0]?.error) }),
  };
}

function failureName(error: unknown): string {
  if (error instanceof Error && 'code' in error && typeof error.code === 'string') return error.code;
  return error instanceof Error ? error.name : 'unknown';
}

/**
 * The summary with the member that makes CloudWatch read its numbers as metrics, by stream.
 * Source: CloudWatch user guide, "Specification: Embedded metric format", read 2026-11.
 */
export function embeddedMetrics(summary: BatchSummary, timestamp: number): object {
  const metrics = Object.entries(METRICS).map(([Name, { unit: Unit }]) => ({ Name, Unit }));
  const directive = {
    Namespace: 'Twinstream/StateProjector',
    Dimensions: [['streamName']],
    Metrics: metrics,
  };
  return { ...summary, _aws: { Timestamp: timestamp, CloudWatchMetrics: [directive] } };
}
