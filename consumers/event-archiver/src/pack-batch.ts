import {
  type ArchiveForm,
  archiveLines,
  type SequenceNumber,
  type StreamBatch,
} from '@twinstream/stream-model';
import { FIREHOSE_BILLING_BYTES, FIREHOSE_RECORD_BYTES_MAX } from './firehose-quotas.ts';

/** How many lines have which form. */
export type LineCounts = Record<ArchiveForm, number>;

export function noLines(): LineCounts {
  return { event: 0, base64: 0, tooLarge: 0 };
}

/** Whole lines, put as one record. */
export interface ArchivePack {
  /** First record of the stream that has a line here. */
  readonly from: SequenceNumber;
  readonly data: Buffer;
  readonly lines: Readonly<LineCounts>;
}

export interface PackLimits {
  /**
   * Largest line. An entry that fits in no form leaves its size and its SHA-256 alone: being larger than any event may be, it
   * is in quarantine, whole, under the same position.
   */
  readonly lineBytesMax: number;
  /** Largest pack, unless one line alone is larger. */
  readonly packBytesMax: number;
}

/**
 * A pack is filled to a multiple of what is billed, so that a full one wastes less than its last line would take; and it is
 * smaller than it might be, so that little is sent again when one is not taken.
 */
export const PACK_LIMITS: PackLimits = {
  lineBytesMax: FIREHOSE_RECORD_BYTES_MAX,
  packBytesMax: 50 * FIREHOSE_BILLING_BYTES,
};

/** The lines of a batch, in order, made and packed as they are consumed. */
export function* packBatch(
  { shardId, records }: StreamBatch,
  { lineBytesMax, packBytesMax }: PackLimits = PACK_LIMITS,
): Generator<ArchivePack, void, undefined> {
  let from: SequenceNumber | undefined;
  let binary = '';
  let lines = noLines();
  for (const record of records) {
    for (const line of archiveLines(shardId, record, lineBytesMax)) {
      if (from !== undefined && binary.length + line.binary.length > packBytesMax) {
        yield { from, data: Buffer.from(binary, 'latin1'), lines };
        from = undefined;
        binary = '';
        lines = noLines();
      }
      from ??= record.sequenceNumber;
      binary += line.binary;
      lines[line.form] += 1;
    }
  }
  if (from !== undefined) yield { from, data: Buffer.from(binary, 'latin1'), lines };
}
