import type { SequenceNumber, ShardId } from '@twinstream/stream-model';

/** Everything at or below `finishedThrough` is stored, or in quarantine. */
export interface ShardProgress {
  readonly shardId: ShardId;
  readonly finishedThrough: SequenceNumber;
  /** Arrival of that record, milliseconds since 1970. */
  readonly arrivalTime: number;
  /** When the progress was written, milliseconds since 1970. */
  readonly updatedTime: number;
  /** Shards that this one was split or merged from, remembered beyond the stream's retention. Absent while not known. */
  readonly parents?: readonly ShardId[];
}

export interface AdvanceResult {
  readonly outcome: 'advanced' | 'already-past';
  /** What stood there before, where it advanced; absent where nothing did. */
  readonly before?: SequenceNumber;
}

export interface ShardProgressTable {
  /** Moves a shard's progress forward; never back. */
  advance(streamName: string, progress: ShardProgress, signal?: AbortSignal): Promise<AdvanceResult>;
  /** Progress of all shards of a stream that have any. */
  read(streamName: string, signal?: AbortSignal): Promise<readonly ShardProgress[]>;
}
