import { openSync, writeSync } from 'node:fs';
import { type RunnerTestCase, type SerializedConfig, TestRunner, type TestTryOptions } from 'vitest';
import { type Entry, type Progress, readProgress } from './progress.ts';
import { StepLimit } from './step-limit.ts';
import { readOrder } from './worker-order.ts';

/** A mutated loop may run this many times as often as the code did. */
const HIT_FACTOR_MAX = 100;
/** A mutated test waits without end after this time and this many times the time of the test without a mutant. */
const WAIT_MIN_MS = 5_000;
const WAIT_FACTOR_MAX = 10;
/** A test that takes longer without a mutant is asked last. */
const SLOW_MS = 200;
const PROPERTIES = '.property.test.ts';
/** Attempts at one test: one for each mutant and one after each kill. */
const ATTEMPTS_MAX = 1_000_000;
const GO_ON = { name: 'Error', message: 'the next mutant' };

interface Attempts {
  readonly test: string;
  /** How often the test executes each mutant's place, without a mutant. */
  hits: Readonly<Record<string, number>>;
  /** Of the attempt without a mutant. */
  steps: number | undefined;
  tookMs: number;
  queue: string[];
  active: string | undefined;
  /** True after an attempt without a mutant has passed. */
  isClean: boolean;
  /** Killed in a process that had already seen survivors in this test: to be confirmed by an attempt without a mutant. */
  suspect: { readonly mutant: string; readonly error: string } | undefined;
}

/** Tests may replace timers and clocks. */
const { setTimeout: startTimer, clearTimeout: endTimer } = globalThis;
const nowMs = performance.now.bind(performance);

const stepLimit = new StepLimit();
const { mutantSwitch } = stepLimit;
Object.assign(globalThis, { __stryker__: mutantSwitch });

/**
 * Runs each test once without a mutant, to see what it executes, and then again for each of those mutants that no test has
 * killed yet, in one process. A kill counts when the same test passed without a mutant directly before or after it: what a
 * mutant leaves behind in the process kills nothing else.
 */
export default class MutatingRunner extends TestRunner {
  readonly #order = readOrder();
  readonly #progress: Progress = readProgress(this.#order.progressFile);
  readonly #file = openSync(this.#order.progressFile, 'a');
  readonly #wanted = new Set(this.#order.mutants);
  #attempts: Attempts | undefined;
  /** False in a process in which no mutant has been active yet. */
  #hasTried = false;

  constructor(config: SerializedConfig) {
    super(config);
    this.#write({ kind: 'started', pid: process.pid });
  }

  #write(entry: Entry): void {
    writeSync(this.#file, `${JSON.stringify(entry)}\n`);
  }

  override async onBeforeRunTask(test: RunnerTestCase): Promise<void> {
    await super.onBeforeRunTask(test);
    const hasMoreRuns = this.#order.isLast && test.file.name.endsWith(PROPERTIES);
    const name = `${test.file.name} > ${test.fullTestName ?? test.name}${hasMoreRuns ? ', with more runs' : ''}`;
    this.#attempts = {
      test: name,
      hits: {},
      steps: undefined,
      tookMs: 0,
      queue: [],
      active: undefined,
      isClean: false,
      suspect: undefined,
    };
    const { done, broken } = this.#progress;
    if (done.has(name) || broken.has(name) || this.#isLater(name)) test.mode = 'skip';
    test.retry = ATTEMPTS_MAX;
  }

  override onBeforeTryTask(test: RunnerTestCase, options: TestTryOptions): void {
    super.onBeforeTryTask(test, options);
    const attempts = this.#attempts;
    if (attempts === undefined) return;
    // Assertions that the attempt before has left pending: vitest would wait for them in this one.
    test.promises?.splice(0);
    const { active, test: name, hits, steps } = attempts;
    if (active !== undefined) this.#write({ kind: 'trying', test: name, mutant: active });
    mutantSwitch.activeMutant = active;
    mutantSwitch.hitCount = 0;
    mutantSwitch.hitLimit = HIT_FACTOR_MAX * Math.max(1, hits[active ?? ''] ?? 1);
    stepLimit.begin(steps);
  }

  /** vitest's own time limit is for the attempt without a mutant; it cannot change from one attempt to the next. */
  async runTask(test: RunnerTestCase): Promise<void> {
    const run = TestRunner.getTestFn(test);
    const attempts = this.#attempts;
    if (attempts?.steps === undefined) {
      const startedMs = nowMs();
      await run();
      if (attempts !== undefined) attempts.tookMs = nowMs() - startedMs;
      return;
    }
    const waitMs = WAIT_MIN_MS + WAIT_FACTOR_MAX * attempts.tookMs;
    const { promise: waited, reject } = Promise.withResolvers<never>();
    const timer = startTimer(() => reject(new Error(`not done after ${waitMs} ms`)), waitMs);
    try {
      await Promise.race([run(), waited]);
    } catch (error) {
      // Without the compared values: nobody reads their difference, which takes minutes where they are large.
      throw new Error(error instanceof Error ? error.message : 'failed');
    } finally {
      endTimer(timer);
    }
  }

  override async onAfterRetryTask(test: RunnerTestCase, options: TestTryOptions): Promise<void> {
    await super.onAfterRetryTask(test, options);
    const attempts = this.#attempts;
    const result = test.result;
    if (attempts === undefined || result === undefined || result.state === 'skip') return;
    mutantSwitch.activeMutant = undefined;
    const executed = stepLimit.end();
    if (options.retry === 0) Object.assign(attempts, executed);
    const error = result.state === 'fail' ? (result.errors?.at(-1)?.message ?? 'failed') : undefined;
    const goesOn =
      options.retry === 0 ? this.#afterFirst(attempts, error) : this.#afterAttempt(attempts, error);
    result.attempts?.splice(0);
    result.state = goesOn ? 'fail' : 'pass';
    result.errors = goesOn ? [GO_ON] : [];
    if (!goesOn && !this.#isLater(attempts.test)) this.#write({ kind: 'done', test: attempts.test });
  }

  #isLater(test: string): boolean {
    return this.#progress.slow.has(test) && !this.#order.isLast;
  }

  #afterFirst(attempts: Attempts, error: string | undefined): boolean {
    const { test } = attempts;
    const loaded = Object.keys(mutantSwitch.mutantCoverage.static).filter(
      (mutant) => !this.#progress.loaded.has(mutant),
    );
    if (loaded.length > 0) this.#write({ kind: 'loaded', mutants: loaded });
    for (const mutant of loaded) this.#progress.loaded.add(mutant);
    if (error !== undefined) {
      // Another test's mutant may have left something behind that this one shares.
      if (this.#hasTried) this.#giveUp(attempts);
      this.#write({ kind: 'broken', test, error });
      return false;
    }
    const covered = Object.keys(attempts.hits);
    this.#write({ kind: 'covered', test, mutants: covered });
    const tried = this.#progress.tried.get(test);
    const queue = covered.filter(
      (mutant) =>
        this.#wanted.has(mutant) &&
        !this.#progress.killed.has(mutant) &&
        !this.#progress.stalled.has(mutant) &&
        !tried?.has(mutant),
    );
    const first = this.#progress.doubtful?.test === test ? this.#progress.doubtful.mutant : undefined;
    attempts.queue = queue.sort((a, b) => Number(b === first) - Number(a === first)).reverse();
    attempts.isClean = true;
    if (queue.length > 0 && attempts.tookMs > SLOW_MS && !this.#order.isLast) {
      this.#progress.slow.add(test);
      this.#write({ kind: 'slow', test });
      return false;
    }
    return this.#next(attempts);
  }

  #afterAttempt(attempts: Attempts, error: string | undefined): boolean {
    const { test, active: mutant, suspect } = attempts;
    if (mutant === undefined) {
      if (error !== undefined) this.#giveUp(attempts);
      if (suspect !== undefined) this.#kill(test, suspect);
      attempts.suspect = undefined;
      attempts.isClean = true;
      return this.#next(attempts);
    }
    if (error === undefined) {
      this.#write({ kind: 'survived', test, mutant });
      attempts.isClean = false;
      return this.#next(attempts);
    }
    if (attempts.isClean) this.#kill(test, { mutant, error });
    else attempts.suspect = { mutant, error };
    attempts.active = undefined;
    return true;
  }

  #kill(test: string, { mutant, error }: { readonly mutant: string; readonly error: string }): void {
    this.#progress.killed.set(mutant, test);
    this.#write({ kind: 'killed', test, mutant, error: error.slice(0, 200) });
  }

  #next(attempts: Attempts): boolean {
    attempts.active = attempts.queue.pop();
    this.#hasTried ||= attempts.active !== undefined;
    return attempts.active !== undefined;
  }

  /** The code without a mutant fails now: this process is of no use any more, the parent starts another. */
  #giveUp({ test, suspect }: Attempts): never {
    if (suspect !== undefined) this.#write({ kind: 'doubtful', test, mutant: suspect.mutant });
    // vitest, too, which would go on with the next file.
    process.kill(process.ppid, 'SIGKILL');
    process.kill(process.pid, 'SIGKILL');
    throw new Error('killed');
  }
}
