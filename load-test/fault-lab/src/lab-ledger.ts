/** A record of the lab: the `number`-th of its partition key, from 1. */
export interface LabRecord {
  readonly key: string;
  readonly number: number;
}

/** What a consumer made of the records, each counted once in `stored`. */
export interface LabCounts {
  readonly stored: number;
  /** Of them: records that stand twice in the stream, as after a lost answer of a producer. */
  readonly storedTwice: number;
  readonly processed: number;
  /** Stored and never reported. */
  readonly lost: number;
  /** Reports beyond those of the copies that the stream itself holds. */
  readonly repeated: number;
  /** Records first reported after a later one of the same key. */
  readonly reordered: number;
  /** Reports of records that were never put. */
  readonly unknown: number;
  /** Milliseconds from the put of a record to its first report, of the slowest. */
  readonly slowestMs: number;
}

/** Records that show what went wrong, at most {@link EXAMPLES_MAX} of each. */
export interface LabExamples {
  readonly lost: readonly string[];
  readonly repeated: readonly string[];
  readonly reordered: readonly string[];
}

export const EXAMPLES_MAX = 5;

interface Entry {
  readonly putMs: number;
  /** Copies in the stream. */
  copies: number;
  reports: number;
}

interface KeyEntries {
  readonly entries: Entry[];
  /** The highest number reported so far. */
  highest: number;
}

/** The text by which a record is found in what a consumer prints. */
export function idOf({ key, number }: LabRecord): string {
  return `lab/${key}/${number}`;
}

const ID = /\blab\/([a-z0-9-]+)\/(\d+)\b/g;

/** The records that a line names, in its order. */
export function recordsIn(line: string): readonly LabRecord[] {
  return [...line.matchAll(ID)].map(([, key = '', number]) => ({ key, number: Number(number) }));
}

/** Compares what a consumer reports with what was put. Numbers of a key are put in their order. */
export class LabLedger {
  /** Milliseconds since 1970 of the last report; 0 before the first. */
  lastReportMs = 0;
  readonly #keys = new Map<string, KeyEntries>();
  readonly #reordered: string[] = [];
  readonly #repeated: string[] = [];
  #stored = 0;
  #storedTwice = 0;
  #processed = 0;
  #repeatedCount = 0;
  #reorderedCount = 0;
  #unknown = 0;
  #slowestMs = 0;

  /** A record has been put, and the stream holds it so many times. Returns it. */
  put(key: string, putMs: number, copies = 1): LabRecord {
    const known = this.#keys.get(key) ?? { entries: [], highest: 0 };
    this.#keys.set(key, known);
    known.entries.push({ putMs, copies, reports: 0 });
    this.#stored += 1;
    if (copies > 1) this.#storedTwice += 1;
    return { key, number: known.entries.length };
  }

  report(record: LabRecord, nowMs: number): void {
    this.lastReportMs = nowMs;
    const known = this.#keys.get(record.key);
    const entry = known?.entries[record.number - 1];
    if (known === undefined || entry === undefined) {
      this.#unknown += 1;
      return;
    }
    entry.reports += 1;
    if (entry.reports > 1) {
      if (entry.reports <= entry.copies) return;
      this.#repeatedCount += 1;
      if (this.#repeated.length < EXAMPLES_MAX) this.#repeated.push(idOf(record));
      return;
    }
    this.#processed += 1;
    this.#slowestMs = Math.max(this.#slowestMs, nowMs - entry.putMs);
    if (record.number > known.highest) known.highest = record.number;
    else {
      this.#reorderedCount += 1;
      if (this.#reordered.length < EXAMPLES_MAX) this.#reordered.push(idOf(record));
    }
  }

  counts(): LabCounts {
    return {
      stored: this.#stored,
      storedTwice: this.#storedTwice,
      processed: this.#processed,
      lost: this.#stored - this.#processed,
      repeated: this.#repeatedCount,
      reordered: this.#reorderedCount,
      unknown: this.#unknown,
      slowestMs: this.#slowestMs,
    };
  }

  examples(): LabExamples {
    const lost: string[] = [];
    for (const [key, { entries }] of this.#keys) {
      for (let at = 0; at < entries.length && lost.length < EXAMPLES_MAX; at += 1) {
        if (entries[at]?.reports === 0) lost.push(idOf({ key, number: at + 1 }));
      }
    }
    return { lost, repeated: this.#repeated, reordered: this.#reordered };
  }
}
