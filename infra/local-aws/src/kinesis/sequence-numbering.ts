/**
 * How this server writes sequence numbers: 56 decimal digits, as AWS's have in practice. They are opaque to clients;
 * here they hold, from the left: `49`, the start of the shard (13 digits of ms), the record's counter in its shard
 * (15), its arrival (13 digits of ms) and the shard's index (13). So they rise within a shard, a child's numbers lie
 * above its parents', and a number tells whether it came from a shard.
 */
const LEAD = '49';
const MS_DIGITS = 13;
const COUNTER_DIGITS = 15;
const INDEX_DIGITS = 13;
const NUMBER = /^49(\d{13})(\d{15})(\d{13})(\d{13})$/;

/** The counter of a shard's StartingSequenceNumber; its first record has a higher one. */
export const STARTING_COUNTER = 0;
/** The counter of a closed shard's EndingSequenceNumber, above every record's. */
export const ENDING_COUNTER = 999_999_999_999_999;

/** What distinguishes the numbers of one shard. */
export interface ShardNumbering {
  readonly prefix: string;
  readonly suffix: string;
}

export interface SequenceNumberParts {
  readonly shardStartMs: number;
  readonly counter: number;
  readonly shardIndex: number;
}

export function shardNumbering(shardStartMs: number, shardIndex: number): ShardNumbering {
  return {
    prefix: LEAD + String(shardStartMs).padStart(MS_DIGITS, '0'),
    suffix: String(shardIndex).padStart(INDEX_DIGITS, '0'),
  };
}

export function sequenceNumberText(shard: ShardNumbering, counter: number, arrivalMs: number): string {
  return (
    shard.prefix +
    String(counter).padStart(COUNTER_DIGITS, '0') +
    String(arrivalMs).padStart(MS_DIGITS, '0') +
    shard.suffix
  );
}

/** Undefined for any text that this server did not write. */
export function parseSequenceNumber(text: string): SequenceNumberParts | undefined {
  const match = NUMBER.exec(text);
  if (!match) return undefined;
  const [, shardStartMs, counter, , shardIndex] = match.map(Number);
  if (shardStartMs === undefined || counter === undefined || shardIndex === undefined) return undefined;
  return { shardStartMs, counter, shardIndex };
}
