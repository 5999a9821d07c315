/** One measured figure. */
export interface Figure {
  /** What was measured, in words that need no context: `put, 500 × 200-byte records a request`. */
  readonly name: string;
  /** Which of the things compared: `twinstream`, `kinesis-local`, … */
  readonly subject: string;
  readonly value: number;
  /** `records/s`, `events/s`, `write units/event`, `MiB`, … */
  readonly unit: string;
  /** The bar this figure is held to, where there is one. */
  readonly atLeast?: number;
  readonly atMost?: number;
  /** What a reader must know to trust it: sizes, counts, what is stubbed. */
  readonly note?: string;
}

/** A benchmark: one file of `load-test/benchmarks/src/benchmarks/` whose default export this is. All its subjects run in one run. */
export interface Benchmark {
  readonly name: string;
  /** What is compared, on what, and what is left out. */
  readonly compares: string;
  /** Measures everything, in less than about two minutes, and leaves no process behind. */
  run(): Promise<readonly Figure[]>;
}
