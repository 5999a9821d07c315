import type { DeviceId } from '@twinstream/device-model';
import type { SequenceNumber, ShardId } from '@twinstream/stream-model';

/** A record and the devices that it may have changed: perhaps more than it did, never fewer. */
export interface HintedRecord {
  readonly sequenceNumber: SequenceNumber;
  /** Milliseconds since 1970. */
  readonly arrivalTime: number;
  readonly deviceIds: readonly DeviceId[];
}

/** What was put into one shard since the read before. */
export interface ShardHints {
  readonly shardId: ShardId;
  /** Every record after this one was seen since; a read that left something out begins with another. */
  readonly from: SequenceNumber;
  /** In their order. */
  readonly records: readonly HintedRecord[];
  /** True when nothing more was in the shard. */
  readonly atTip: boolean;
}

/**
 * Says which devices may change soon, from what is put into the stream. It returns hints alone: the new state of a
 * device is read from the table.
 */
export interface ChangeFeed {
  /**
   * What came since the call before; the first call begins in each shard after its progress. Bounded: a shard that is
   * ahead of the reader is caught up with over several calls, or left out up to its tip.
   */
  poll(progress: ReadonlyMap<ShardId, SequenceNumber>, signal?: AbortSignal): Promise<readonly ShardHints[]>;
  /**
   * Forgets where it stood, so that the next call is a first one.
   *
   * @param from begin after this instead of after the progress, and with the first record of a shard that it does not name
   */
  restart(from?: ReadonlyMap<ShardId, SequenceNumber>): void;
}

/** A reader of a shard that is further behind its tip leaves out what lies between: the table knows it sooner. Milliseconds. */
export const FEED_BEHIND_MS_MAX = 900_000;
