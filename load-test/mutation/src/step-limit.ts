/** What runs while a test is tried counts under this name, and never for the loading of modules. */
const TRIED = 'tried';
/** A mutated test may take this many times the steps of the test without a mutant, or the least where that is more. */
const STEPS_FACTOR_MAX = 20;
const STEPS_MIN = 200_000;

/** What the instrumented code reads and writes, under the name that StrykerJS gives it. */
export interface MutantSwitch {
  activeMutant?: string | undefined;
  currentTestId?: string | undefined;
  hitCount?: number | undefined;
  hitLimit?: number | undefined;
  readonly mutantCoverage: {
    readonly static: Readonly<Record<string, number>>;
    readonly perTest: Record<string, Record<string, number>>;
  };
}

/**
 * Counts the steps of a test, which are the places of mutants that it executes, and throws in each step after the limit: a
 * loop that a mutant makes endless ends, wherever in the loop the mutant is. StrykerJS limits the hits of the mutant's own place only.
 */
export class StepLimit {
  readonly mutantSwitch: MutantSwitch;
  #hits: Record<string, number> = {};
  #steps = 0;
  #stepsMax = Number.POSITIVE_INFINITY;

  constructor() {
    const perTest: Record<string, Record<string, number>> = {};
    Object.defineProperty(perTest, TRIED, { get: () => this.#step(), set: () => {} });
    this.mutantSwitch = { mutantCoverage: { static: {}, perTest } };
  }

  /** Begins to count from zero. `stepsBefore` are the steps without a mutant; without them nothing is limited. */
  begin(stepsBefore?: number): void {
    this.#hits = {};
    this.#steps = 0;
    this.#stepsMax =
      stepsBefore === undefined
        ? Number.POSITIVE_INFINITY
        : Math.max(STEPS_MIN, STEPS_FACTOR_MAX * stepsBefore);
    this.mutantSwitch.currentTestId = TRIED;
  }

  /** How often each mutant's place was executed, and the steps, since `begin`. */
  end(): { readonly hits: Readonly<Record<string, number>>; readonly steps: number } {
    this.mutantSwitch.currentTestId = undefined;
    return { hits: this.#hits, steps: this.#steps };
  }

  #step(): Record<string, number> {
    this.#steps += 1;
    if (this.#steps > this.#stepsMax) throw new Error(`more than ${this.#stepsMax} steps`);
    return this.#hits;
  }
}
