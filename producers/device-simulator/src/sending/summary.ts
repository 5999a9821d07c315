import { whole } from '@twinstream/command-line';
import type { BadRow } from '../recording/row.ts';
import type { LatencySummary } from './latency-histogram.ts';
import type { Counts, FaultCounts } from './tally.ts';

/** Invalid rows. */
export interface RejectedRows {
  readonly count: number;
  /** The first of them, {@link REJECTED_ROWS_LISTED_MAX} at most. */
  readonly first: readonly BadRow[];
}

export const REJECTED_ROWS_LISTED_MAX = 20;

/** What a run did, as it is printed. After a run, scheduled = acknowledged + failed + dropped. */
export interface RunSummary extends Counts {
  readonly stream: string;
  /** Failed events by the code of their reason. */
  readonly failedByReason: Readonly<Record<string, number>>;
  /** From the start to the last outcome. */
  readonly elapsedMs: number;
  /** Acknowledged events per second of `elapsedMs`. */
  readonly eventsPerSecond: number;
  /** From the moment at which an event was due (or handed over, where there is no schedule) to its acknowledgement. */
  readonly ackLatencyMs: LatencySummary;
  /** Events that faults struck on purpose, by fault. */
  readonly faults: FaultCounts;
  /** Of a recording. */
  readonly rejectedRows: RejectedRows;
  /** With `startTime` and `session`: what it takes to have the same events again. */
  readonly seed: number;
  /** The devices' time at the start; absent for a recording, whose events have times of their own. */
  readonly startTime?: string;
  readonly session: number;
  /** True when a signal or the stream ended the run before its end. */
  readonly interrupted: boolean;
  /** The most memory that the process ever held, in bytes. */
  readonly memoryBytesMax: number;
}

/** The summary for people. */
export function summaryText(summary: RunSummary): string {
  const { ackLatencyMs: latency, faults, rejectedRows } = summary;
  const struck = Object.entries(faults).filter(([, count]) => count > 0);
  const reasons = Object.entries(summary.failedByReason).map(([code, count]) => `${whole(count)} ${code}`);
  const possibly = summary.possiblyStored > 0 ? [`${whole(summary.possiblyStored)} possibly stored`] : [];
  // What is read from a file does not depend on the seed, unless faults strike it.
  const seed = summary.startTime === undefined && struck.length === 0 ? [] : [`--seed ${summary.seed}`];
  const startTime = summary.startTime === undefined ? [] : [`--start-time ${summary.startTime}`];
  const again = [...seed, ...startTime, `--session ${summary.session}`].join(' ');
  const rows: readonly (readonly [string, string, string?])[] = [
    ['stream', summary.stream],
    ['scheduled', whole(summary.scheduled)],
    ['sent', whole(summary.sent)],
    ['acknowledged', whole(summary.acknowledged), shareOf(summary.acknowledged, summary.scheduled)],
    ['retried', whole(summary.retried)],
    ['failed', whole(summary.failed), [...reasons, ...possibly].join(', ')],
    ['dropped', whole(summary.dropped), summary.dropped > 0 ? 'the schedule could not be kept' : ''],
    ['elapsed', `${(summary.elapsedMs / 1_000).toFixed(2)} s`, `${whole(summary.eventsPerSecond)} events/s`],
    [
      'ack latency',
      `p50 ${ms(latency.p50)}  p95 ${ms(latency.p95)}  p99 ${ms(latency.p99)}  max ${ms(latency.max)}`,
    ],
    ...(struck.length > 0
      ? [['faults', struck.map(([name, count]) => `${whole(count)} ${name}`).join(', ')] as const]
      : []),
    ...(rejectedRows.count > 0 ? [['rows rejected', whole(rejectedRows.count)] as const] : []),
    ['again with', again],
    ...(summary.interrupted ? [['interrupted', 'the run ended before its end'] as const] : []),
  ];
  return rows
    .map(([name, value, note]) => `${name.padEnd(14)}${note ? `${value.padEnd(12)}${note}` : value}\n`)
    .join('');
}

export function ms(latencyMs: number): string {
  return `${latencyMs.toFixed(latencyMs < 10 ? 1 : 0)} ms`;
}

function shareOf(part: number, all: number): string {
  if (all === 0) return '';
  // Floored, so that 100 % means all.
  return `${(Math.floor((1_000 * part) / all) / 10).toFixed(1)} %`;
}
