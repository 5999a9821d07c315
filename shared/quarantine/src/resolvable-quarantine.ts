import type { DeadLetter } from './dead-letter.ts';
import type { QuarantineStore } from './quarantine-store.ts';
import type { Resolution, ResolvedRecord } from './resolution.ts';

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
