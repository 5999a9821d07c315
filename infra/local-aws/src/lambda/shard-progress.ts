import type { SequenceNumber } from '@twinstream/stream-model';

/**
 * What of a shard is finished, where lanes finish records out of order: the checkpoint is the last record with nothing
 * unfinished before it.
 */
export interface ShardProgress {
  /** Records that were read, in the order of the shard. */
  add(sequenceNumbers: readonly SequenceNumber[]): void;
  /** Marks records finished, each once. Returns the new checkpoint when it advanced, undefined otherwise. */
  finish(sequenceNumbers: readonly SequenceNumber[]): SequenceNumber | undefined;
  /** Records read and not finished. */
  unfinishedCount(): number;
}

/** Entries before the checkpoint are dropped in steps of this many, so that each record costs constant time. */
const TRIM_COUNT = 4_096;

export function shardProgress(): ShardProgress {
  let order: SequenceNumber[] = [];
  let head = 0;
  const finished = new Set<SequenceNumber>();
  let unfinished = 0;
  return {
    add: (sequenceNumbers) => {
      for (const sequenceNumber of sequenceNumbers) order.push(sequenceNumber);
      unfinished += sequenceNumbers.length;
    },
    finish: (sequenceNumbers) => {
      for (const sequenceNumber of sequenceNumbers) finished.add(sequenceNumber);
      unfinished -= sequenceNumbers.length;
      let checkpoint: SequenceNumber | undefined;
      for (let next = order[head]; next !== undefined && finished.delete(next); next = order[head]) {
        checkpoint = next;
        head += 1;
      }
      if (head >= TRIM_COUNT) {
        order = order.slice(head);
        head = 0;
      }
      return checkpoint;
    },
    unfinishedCount: () => unfinished,
  };
}
