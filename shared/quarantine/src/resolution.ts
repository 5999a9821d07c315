import type { SequenceNumber, ShardId } from '@twinstream/stream-model';

/** What an operator made of a quarantined record. */
export interface Resolution {
  readonly outcome: 'redriven' | 'discarded';
  /** ISO 8601 in UTC. */
  readonly time: string;
  readonly reason: string;
  readonly actor: string;
  /** The repaired events, by their place in the record: what a later replay puts in the place of the invalid ones. */
  readonly events: readonly { readonly subSequenceNumber: number; readonly text: string }[];
}

/** A record that was taken out of quarantine, and what became of it. */
export interface ResolvedRecord {
  readonly shardId: ShardId;
  readonly sequenceNumber: SequenceNumber;
  readonly resolution: Resolution;
}
