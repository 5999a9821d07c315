import type { RunSummary } from '@twinstream/device-simulator';
import type { Verdict } from './expectation.ts';
import type { Figures } from './figures.ts';
import type { LedgerFindings } from './ledger-check.ts';
import type { Machine } from './machine.ts';

/** A result as it is written and read again. */
export interface LoadResult {
  readonly format: 'twinstream-load-test-1';
  readonly date: string;
  readonly machine: Machine;
  readonly load: {
    readonly scenario: string;
    readonly rate: number;
    readonly durationMs: number;
    readonly devices: number;
    readonly aggregate: boolean;
    readonly shards: number;
    readonly seed: number;
    readonly dynamodb: string;
  };
  /** This design first, then the baseline where there is one. */
  readonly subjects: readonly SubjectResult[];
  readonly verdicts: readonly Verdict[];
  /** The search for the highest rate, by subject, where there was one. */
  readonly searches?: readonly RateSearch[];
  /** No promise broken and every bar met. */
  readonly passed: boolean;
}

export interface SubjectResult {
  readonly subject: string;
  readonly figures: Figures;
  readonly ledger: LedgerFindings;
  readonly simulator: RunSummary;
  readonly processes: readonly ProcessFigures[];
  readonly series: LoadSeries;
  /** What a scenario has changed in the pipeline and could not be put back. Absent: nothing. */
  readonly left?: string;
  /** What one must know to trust the figures. */
  readonly notes: readonly string[];
}

export interface ProcessFigures {
  readonly name: string;
  readonly cpuSeconds: number;
  /** Of one core, while load ran. */
  readonly cpuShare: number;
  readonly memoryMaxMiB: number;
  /** Growth in the second half of the load, by least squares; null where there are too few samples. */
  readonly memorySlopeMiBPerMinute: number | null;
}

/** A value at a time. Seconds count from the start of the load. */
export type Point = readonly [seconds: number, value: number];

/** Named lines of one plot. */
export type Lines = Readonly<Record<string, readonly Point[]>>;

export interface LoadSeries {
  /** Events per second, by stage. */
  readonly throughput: Lines;
  /** Milliseconds from intended send to readable state, by percentile, at the time at which events were due. */
  readonly latency: Lines;
  /** Milliseconds, by shard. */
  readonly lag: Lines;
  /** MiB, by process. */
  readonly memory: Lines;
  /** Cores, by process. */
  readonly cpu: Lines;
  /** What was done to the pipeline. */
  readonly marks: readonly { readonly seconds: number; readonly what: string }[];
}

/** How the highest rate that holds was found. */
export interface RateSearch {
  readonly subject: string;
  readonly highestRate: number | null;
  readonly trials: readonly {
    readonly rate: number;
    readonly held: boolean;
    readonly why: string;
    readonly p99Ms: number | null;
  }[];
}
