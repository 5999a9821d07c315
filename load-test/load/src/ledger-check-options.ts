import type { Access } from '@twinstream/end-to-end';

export interface LedgerCheckOptions {
  readonly access: Access;
  /** That of the load and that of its warm-up. */
  readonly ledgerFiles: readonly string[];
  /** For the parts of a ledger that is too large to be checked together. */
  readonly folder: string;
  readonly acknowledged: number;
  /** True where the stream has every event of each device in the order of its counters: none was given up. */
  readonly isOrdered: boolean;
  /** When the archive must be complete, in milliseconds since 1970. */
  readonly archiveDeadlineMs: number;
  /**
   * Where others write, too: when this run began, in milliseconds since 1970. Then no device is looked at but those of
   * the ledgers, and nothing that arrived long before. Absent: the pipeline holds nothing else.
   */
  readonly sharedSinceMs?: number;
  readonly signal?: AbortSignal;
  /** Told of each part of the ledger before it is checked, where there are several. */
  readonly onPart?: (part: number, partCount: number) => void;
}
