import type { SourceCounter } from '@twinstream/device-model';
import type { SequenceNumber, ShardId } from '@twinstream/stream-model';

/** An event that a redrive made of a part of a record. */
export interface RedrivenEvent {
  readonly subSequenceNumber: number;
  readonly text: string;
  /** What its identity is derived from, where a mapping says so. */
  readonly sourceCounter?: SourceCounter;
  /** True where other events of the same entry were accepted before: the entry itself still says them. */
  readonly isPart?: true;
}

/** What an operator made of a quarantined record. */
export interface Resolution {
  readonly outcome: 'redriven' | 'discarded';
  /** ISO 8601 in UTC. */
  readonly time: string;
  readonly reason: string;
  readonly actor: string;
  /** The repaired events, by their place in the record: what a later replay puts in the place of the invalid ones. */
  readonly events: readonly RedrivenEvent[];
}

/** A record that was taken out of quarantine, and its outcome. */
export interface ResolvedRecord {
  readonly shardId: ShardId;
  readonly sequenceNumber: SequenceNumber;
  readonly resolution: Resolution;
}
