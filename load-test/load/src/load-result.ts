import { readFileSync } from 'node:fs';
import { cpus, loadavg, totalmem } from 'node:os';
import type { RunSummary } from '@twinstream/device-simulator';
import { CodedError } from '@twinstream/runtime';
import type { Figures, Verdict } from './figures.ts';
import type { LedgerFindings } from './ledger-check.ts';

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

/** Where something was measured. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGiB: number;
  readonly node: string;
  /** Processes that wanted a core in the minute before; what else ran distorts figures. */
  readonly loadBefore: number;
}

export function thisMachine(): Machine {
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    node: process.version,
    loadBefore: Math.round((loadavg()[0] ?? 0) * 100) / 100,
  };
}

/** Reads a result that `--save` or `--output json` wrote. Throws `INVALID_USAGE` for any other file. */
export function readResult(path: string): LoadResult {
  let document: unknown;
  try {
    document = JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new CodedError('INVALID_USAGE', `${path} cannot be read: ${why}`, { cause: error });
  }
  if (!isResult(document)) {
    throw new CodedError('INVALID_USAGE', `${path} is not a result of a load test`);
  }
  return document;
}

function isResult(document: unknown): document is LoadResult {
  return (
    typeof document === 'object' &&
    document !== null &&
    'format' in document &&
    document.format === ('twinstream-load-test-1' satisfies LoadResult['format'])
  );
}
