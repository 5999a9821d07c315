import { CodedError } from '@twinstream/runtime';
import type { Random } from '@twinstream/test-kit';
import type { Owner, Scheduler } from '../scheduler.ts';

/** One run of a command: a process that may die. */
export interface OperatorProcess {
  readonly owner: Owner;
  /** True when another took its work over. */
  isReplaced: boolean;
}

/** Something that an operator does, as often as it takes. */
export interface Errand {
  readonly name: string;
  /** Resolves when there is nothing left to do. Rejects with what the command ends with: it is run again then. */
  attempt(process: OperatorProcess): Promise<void>;
}

interface RunningProcess extends OperatorProcess {
  readonly crashed: Promise<'crashed'>;
  readonly reportCrash: () => void;
}

/** Attempts that may meet faults; the next finds the world kind, so that every errand comes to an end. */
const HOSTILE_ATTEMPTS_MAX = 4;
const ATTEMPTS_MAX = 30;
/** Probability that a second process starts while the first one still runs. */
const TAKEN_OVER = 0.1;
const PATIENCE_MS_MAX = 400;

/** Codes with which a command may end that meets faults, or another at the same work. */
const EXPECTED_CODES: ReadonlySet<string> = new Set(['JOB_TAKEN_OVER', 'JOB_EXISTS']);

/** Somebody who runs commands, one after the other, and runs them again when they end badly. */
export class Operator {
  /** What was done and what happened, by name. */
  readonly counts = new Map<string, number>();
  readonly #scheduler: Scheduler;
  readonly #random: Random;
  #processes: RunningProcess[] = [];
  #started = 0;
  #attempts = 0;

  constructor(scheduler: Scheduler, random: Random) {
    this.#scheduler = scheduler;
    this.#random = random;
  }

  /** Whether requests of this process may meet faults now; undefined where it is none of this operator's. */
  meetsFaults(owner: Owner): boolean | undefined {
    const isOwn = this.#processes.some((process) => process.owner === owner);
    return isOwn ? this.#attempts < HOSTILE_ATTEMPTS_MAX : undefined;
  }

  crash(owner: Owner): void {
    const process = this.#processes.find((candidate) => candidate.owner === owner);
    if (process === undefined) return;
    this.count('operator crash');
    this.#end(process);
    process.reportCrash();
  }

  count(name: string, times = 1): void {
    this.counts.set(name, (this.counts.get(name) ?? 0) + times);
  }

  async perform(errand: Errand): Promise<void> {
    for (this.#attempts = 0; this.#attempts < ATTEMPTS_MAX; this.#attempts += 1) {
      const process = this.#start();
      const ended = await this.#outcome(process, errand);
      if (ended === 'done') {
        this.count(errand.name);
        for (const one of this.#processes) this.#end(one);
        return;
      }
      if (ended === 'failed') this.#end(process);
    }
    throw new Error(`${errand.name} is not done after ${ATTEMPTS_MAX} attempts`);
  }

  async #outcome(
    process: RunningProcess,
    errand: Errand,
  ): Promise<'done' | 'failed' | 'crashed' | 'replaced'> {
    const running = errand.attempt(process).then(
      () => 'done' as const,
      (error: unknown) => {
        const isExpected = error instanceof CodedError && (error.retryable || EXPECTED_CODES.has(error.code));
        if (!isExpected) throw error;
        return 'failed' as const;
      },
    );
    const mayBeReplaced = this.#attempts < HOSTILE_ATTEMPTS_MAX && this.#random.chance(TAKEN_OVER);
    if (!mayBeReplaced) return await Promise.race([running, process.crashed]);
    const impatience = new AbortController();
    const replaced = this.#scheduler
      .clockOf(`caller of ${process.owner}`)
      .sleep(this.#random.integer(PATIENCE_MS_MAX), impatience.signal)
      .then(
        () => {
          process.isReplaced = true;
          this.count('operator taken over');
          return 'replaced' as const;
        },
        () => running,
      );
    const ended = await Promise.race([running, process.crashed, replaced]);
    impatience.abort();
    return ended;
  }

  #start(): RunningProcess {
    this.#started += 1;
    const { promise: crashed, resolve } = Promise.withResolvers<'crashed'>();
    const process = {
      owner: `operator-${this.#started}`,
      isReplaced: false,
      crashed,
      reportCrash: () => resolve('crashed'),
    };
    this.#processes.push(process);
    return process;
  }

  #end(process: RunningProcess): void {
    this.#processes = this.#processes.filter((other) => other !== process);
    this.#scheduler.kill(process.owner);
  }
}
