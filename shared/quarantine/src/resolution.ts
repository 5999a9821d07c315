import type { SequenceNumber, ShardId } from '@twinstream/stream-model';
import type { DeadLetter } from './dead-letter.ts';
import type { QuarantineStore } from './quarantine-store.ts';

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

/** A quarantine as operators use it. Errors are those of {@link QuarantineStore}. */
export interface ResolvableQuarantine extends QuarantineStore {
  /**
   * Takes a record out of quarantine and keeps it with its resolution. Doing it again changes nothing; false where there
   * is no such record.
   */
  resolve(key: string, resolution: Resolution, signal?: AbortSignal): Promise<boolean>;
  /** What was taken out, rising by hour of arrival. */
  resolved(signal?: AbortSignal): AsyncIterable<ResolvedRecord>;
  /**
   * Every object below the folders of quarantine and of what was taken out of it, in no promised order. One that cannot be
   * read, or that is none of a record, is named with its fault instead of ending the reading. Each is one read.
   */
  contents(signal?: AbortSignal): AsyncIterable<DeadLetter>;
}
