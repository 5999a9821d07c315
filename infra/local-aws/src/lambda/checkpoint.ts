import type { SequenceNumber, ShardId } from '@twinstream/stream-model';

/** How far a mapping has come in a shard. */
export type Checkpoint =
  /** Everything up to and including this record is finished. */
  | { readonly kind: 'at'; readonly sequenceNumber: SequenceNumber }
  /** The shard is closed and everything in it is finished: its children may begin. */
  | { readonly kind: 'finished' };

/**
 * Checkpoints of one mapping, kept across restarts. Saving is in memory immediately and durable soon after: what is lost with
 * a process is delivered again.
 */
export interface CheckpointStore {
  read(shardId: ShardId): Checkpoint | undefined;
  save(shardId: ShardId, checkpoint: Checkpoint): void;
  /** Shards with a checkpoint. */
  shardIds(): readonly ShardId[];
  /** Forgets a shard that the stream no longer has. */
  forget(shardId: ShardId): void;
  /** Resolves when everything saved is durable. */
  flush(): Promise<void>;
}

/** Checkpoints that end with the process. */
export function memoryCheckpointStore(): CheckpointStore {
  const checkpoints = new Map<ShardId, Checkpoint>();
  return {
    read: (shardId) => checkpoints.get(shardId),
    save: (shardId, checkpoint) => void checkpoints.set(shardId, checkpoint),
    shardIds: () => [...checkpoints.keys()],
    forget: (shardId) => void checkpoints.delete(shardId),
    flush: () => Promise.resolve(),
  };
}
