import type { ShardProgressTable } from '@twinstream/latest-state';
import { sortableSequenceNumber } from '@twinstream/stream-model';

/** What was finished of a shard when it was looked at. */
export interface ProgressObservation {
  readonly atMs: number;
  /** Everything at or below it is finished; as text whose order is that of sequence numbers. */
  readonly through: string;
  /** Arrival of that record. */
  readonly arrivalMs: number;
}

/** A shard's lag at one moment. */
export interface LagSample {
  readonly atMs: number;
  readonly shardId: string;
  readonly through: string;
  /** Age of what was finished last. It is a lag only while more is waiting. */
  readonly ageMs: number;
}

/** Reads the checkpoints of the shards repeatedly. */
export interface ProgressObserver {
  /** One round. Rejects when the table cannot be read. */
  observe(): Promise<void>;
  /** By shard, the rises, in order. */
  readonly rises: ReadonlyMap<string, readonly ProgressObservation[]>;
  /** One of each shard at least every {@link LAG_EVERY_MS}. */
  readonly lags: readonly LagSample[];
}

export const LAG_EVERY_MS = 500;

export interface ProgressObserverOptions {
  readonly table: Pick<ShardProgressTable, 'read'>;
  readonly streamName: string;
  readonly now: () => number;
}

export function progressObserver({ table, streamName, now }: ProgressObserverOptions): ProgressObserver {
  const rises = new Map<string, ProgressObservation[]>();
  const lags: LagSample[] = [];
  let lagDueMs = 0;
  return {
    rises,
    lags,
    async observe() {
      const shards = await table.read(streamName);
      const atMs = now();
      const isLagDue = atMs >= lagDueMs;
      if (isLagDue) lagDueMs = atMs + LAG_EVERY_MS;
      for (const { shardId, finishedThrough, arrivalTime } of shards) {
        const through = sortableSequenceNumber(finishedThrough);
        const seen = rises.get(shardId) ?? [];
        rises.set(shardId, seen);
        if ((seen.at(-1)?.through ?? '') < through) seen.push({ atMs, through, arrivalMs: arrivalTime });
        if (isLagDue) lags.push({ atMs, shardId, through, ageMs: Math.max(0, atMs - arrivalTime) });
      }
    },
  };
}

/** When progress was first seen to have passed a place; undefined when it never was. */
export function finishedAtMs(rises: readonly ProgressObservation[], place: string): number | undefined {
  let [low, high] = [0, rises.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((rises[middle]?.through ?? '') >= place) high = middle;
    else low = middle + 1;
  }
  return rises[low]?.atMs;
}
