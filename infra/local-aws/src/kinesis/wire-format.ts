import type { LogRun } from './log-slice.ts';
import type { WireValues } from './request-shape.ts';
import type { ShardNumbering } from './sequence-numbering.ts';

/** A point in time of an answer, in ms; each format writes it its own way. */
export class Timestamp {
  readonly ms: number;

  constructor(ms: number) {
    this.ms = ms;
  }

  /** Seconds with their fraction, as JSON 1.1 has them. */
  toJSON(): number {
    return this.ms / 1000;
  }
}

/** Members of an answer: JSON values and timestamps. */
export type Members = Readonly<Record<string, unknown>>;

/** The answer of GetRecords, whose records are written straight from the shard's segments. */
export interface RecordsAnswer {
  readonly runs: readonly LogRun[];
  readonly numbering: ShardNumbering;
  /** MillisBehindLatest, NextShardIterator, ChildShards. */
  readonly rest: Members;
}

/** One way to write requests and answers. */
export interface WireFormat extends WireValues {
  readonly contentType: string;
  /** Sent with every answer besides the content type. */
  readonly headers: Readonly<Record<string, string>>;
  /** Throws SerializationException. */
  parse(body: Buffer): unknown;
  write(members: Members): Buffer;
  writeRecords(answer: RecordsAnswer): Buffer;
  /** The error's name as `__type` has it. */
  errorType(code: string): string;
}
