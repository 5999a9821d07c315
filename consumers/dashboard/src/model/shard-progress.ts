import type { ShardStatus } from '@twinstream/api-contract';
import { ageText } from './age.ts';

type Shard = Pick<ShardStatus, 'recordsPerSecond' | 'processedPerSecond' | 'backlogRecords'>;

/** How the pipeline comes on, over all shards. Records a second; undefined where a shard does not tell. */
export interface PipelineProgress {
  readonly arriving: number;
  readonly processed: number | undefined;
  /** Records that wait. */
  readonly backlog: number | undefined;
  /** Until the slowest shard has no backlog at the present rates, in milliseconds; undefined where it does not shrink. */
  readonly catchUpMs: number | undefined;
}

export function progressOf(shards: readonly Shard[]): PipelineProgress {
  return {
    arriving: shards.reduce((sum, { recordsPerSecond }) => sum + (recordsPerSecond ?? 0), 0),
    processed: sumOf(shards.map(({ processedPerSecond }) => processedPerSecond)),
    backlog: sumOf(shards.map(({ backlogRecords }) => backlogRecords)),
    catchUpMs: slowestOf(shards.map(catchUpMsOf)),
  };
}

function sumOf(figures: readonly (number | null)[]): number | undefined {
  return figures.reduce<number | undefined>(
    (sum, figure) => (sum === undefined || figure === null ? undefined : sum + figure),
    0,
  );
}

function catchUpMsOf({ recordsPerSecond, processedPerSecond, backlogRecords }: Shard): number | undefined {
  if (backlogRecords === 0) return 0;
  const gain = (processedPerSecond ?? 0) - (recordsPerSecond ?? 0);
  return backlogRecords === null || gain <= 0 ? undefined : (1_000 * backlogRecords) / gain;
}

function slowestOf(times: readonly (number | undefined)[]): number | undefined {
  return times.reduce(
    (slowest, time) => (slowest === undefined || time === undefined ? undefined : Math.max(slowest, time)),
    0,
  );
}

/** What a backlog means, in words. */
export function catchUpText(backlog: number, catchUpMs: number | undefined): string {
  if (backlog === 0) return 'no record waits';
  if (catchUpMs === undefined) return 'records wait; it does not shrink';
  return `records wait; caught up in ${ageText(Math.max(catchUpMs, 1_000))}`;
}
