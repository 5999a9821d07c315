import type { PipelineStatus } from '@twinstream/api-contract';

/** Samples kept while the page is open: at one in 2 s, half an hour. */
export const SAMPLES_MAX = 900;

/** What was measured of every shard at one moment. */
export interface ShardSample {
  /** Milliseconds since 1970. */
  readonly time: number;
  readonly lagMs: ReadonlyMap<string, number>;
  readonly recordsPerSecond: ReadonlyMap<string, number>;
}

export function sampleOf(pipeline: Pick<PipelineStatus, 'shards'>, time: number): ShardSample {
  const lagMs = new Map<string, number>();
  const recordsPerSecond = new Map<string, number>();
  for (const shard of pipeline.shards) {
    if (shard.lagMs !== null) lagMs.set(shard.shardId, shard.lagMs);
    if (shard.recordsPerSecond !== null) recordsPerSecond.set(shard.shardId, shard.recordsPerSecond);
  }
  return { time, lagMs, recordsPerSecond };
}

/** The samples with one more, the oldest dropped beyond the limit. */
export function withSample(samples: readonly ShardSample[], sample: ShardSample): readonly ShardSample[] {
  return [...samples.slice(Math.max(0, samples.length - SAMPLES_MAX + 1)), sample];
}

/** Times in seconds and one column per shard, null where a shard was not measured: what uPlot draws. */
export function columnsOf(
  samples: readonly ShardSample[],
  shardIds: readonly string[],
  measure: 'lagMs' | 'recordsPerSecond',
): readonly [number[], ...(number | null)[][]] {
  return [
    samples.map(({ time }) => time / 1_000),
    ...shardIds.map((shardId) => samples.map((sample) => sample[measure].get(shardId) ?? null)),
  ];
}

/** `shardId-000000000003` as `3`; anything else as it is. */
export function shardName(shardId: string): string {
  const digits = /^shardId-0*(\d+)$/.exec(shardId)?.[1];
  return digits ?? shardId;
}
