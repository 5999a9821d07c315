import { z } from 'zod';
import { invalidArgument } from './api-error.ts';
import { fullShardId } from './shard-members.ts';
import { horizonMs, type Shard, type Stream } from './stream.ts';

/** API reference, ShardFilter (read 2026-11). */
export const SHARD_FILTER_TYPES = [
  'AFTER_SHARD_ID',
  'AT_TRIM_HORIZON',
  'FROM_TRIM_HORIZON',
  'AT_LATEST',
  'AT_TIMESTAMP',
  'FROM_TIMESTAMP',
] as const;

export interface ShardFilter {
  readonly Type: (typeof SHARD_FILTER_TYPES)[number];
  readonly ShardId: string | undefined;
  /** In ms. */
  readonly Timestamp: number | undefined;
}

/** Which shards a list holds, in terms that stay true from page to page. */
const shardSelection = z.strictObject({
  streamName: z.string(),
  streamCreatedMs: z.number(),
  /** Only shards after this one. */
  afterId: z.string(),
  /** Only shards that were open then. */
  openAtMs: z.number().optional(),
  /** Only shards that are open or were closed then or later. */
  closedFromMs: z.number().optional(),
  /** Only shards that are open now. */
  openNow: z.boolean().optional(),
});
export type ShardSelection = z.infer<typeof shardSelection>;

/** Reads what a page token holds. Throws InvalidArgumentException. */
export function readSelection(place: unknown): ShardSelection {
  const read = shardSelection.safeParse(place);
  if (!read.success) throw invalidArgument('Invalid NextToken.');
  return read.data;
}

/** Throws InvalidArgumentException when the filter lacks what its type needs, or has what it does not. */
export function selectShards(
  stream: Stream,
  filter: ShardFilter | undefined,
  afterId: string,
  nowMs: number,
): ShardSelection {
  const all = { streamName: stream.name, streamCreatedMs: stream.createdMs, afterId };
  if (filter === undefined) return all;
  const { Type, ShardId, Timestamp } = filter;
  if ((ShardId !== undefined) !== (Type === 'AFTER_SHARD_ID')) {
    throw invalidArgument(
      `ShardFilter: ShardId goes with AFTER_SHARD_ID and with nothing else, not with ${Type}.`,
    );
  }
  if ((Timestamp !== undefined) !== (Type === 'AT_TIMESTAMP' || Type === 'FROM_TIMESTAMP')) {
    throw invalidArgument(
      `ShardFilter: Timestamp goes with AT_TIMESTAMP and FROM_TIMESTAMP and with nothing else, not with ${Type}.`,
    );
  }
  const earliestMs = Math.max(horizonMs(stream, nowMs), stream.createdMs);
  const timeMs = Math.max(Timestamp ?? 0, earliestMs);
  switch (Type) {
    case 'AFTER_SHARD_ID':
      return { ...all, afterId: [afterId, fullShardId(ShardId ?? '')].sort().at(-1) ?? '' };
    case 'AT_TRIM_HORIZON':
    case 'AT_TIMESTAMP':
      return { ...all, openAtMs: timeMs };
    case 'FROM_TIMESTAMP':
      return { ...all, closedFromMs: timeMs };
    case 'AT_LATEST':
      return { ...all, openNow: true };
    case 'FROM_TRIM_HORIZON':
      return all;
  }
}

export function isSelected(selection: ShardSelection, { id, startMs, closedMs }: Shard): boolean {
  const { afterId, openAtMs, closedFromMs, openNow } = selection;
  if (id <= afterId || (openNow && closedMs !== undefined)) return false;
  const closed = closedMs ?? Number.POSITIVE_INFINITY;
  if (openAtMs !== undefined && (startMs > openAtMs || closed < openAtMs)) return false;
  return closedFromMs === undefined || closed >= closedFromMs;
}
