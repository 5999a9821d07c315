import type { Clock } from '@twinstream/runtime';
import type { Random } from '@twinstream/test-kit';

/** Owner of a wait: a container, a client, the network itself. Killing an owner cancels its waits. */
export type Owner = string;

interface Parked {
  readonly owner: Owner;
  readonly resume: () => void;
}

interface Timer extends Parked {
  readonly time: number;
}

/** How often time passes although something else could happen first: this is what lets deadlines strike in mid-request. */
const TIME_PASSES_FIRST = 0.02;

/** A run that takes more turns than this does not end by itself. */
export const TURNS_MAX = 200_000;

/**
 * Decides, from a seed, what happens next. Everything that waits, waits here: requests on their way, answers on
 * their way, timers. One turn resumes one of them and lets all code run until it waits again.
 */
export class Scheduler {
  readonly #random: Random;
  #now: number;
  #parked: Parked[] = [];
  #timers: Timer[] = [];
  #turns = 0;
  readonly #dead = new Set<Owner>();

  constructor(random: Random, startTime: number) {
    this.#random = random;
    this.#now = startTime;
  }

  get now(): number {
    return this.#now;
  }

  get turns(): number {
    return this.#turns;
  }

  /** Resolves at a later turn; never, when its owner is killed before. Rejects when the signal is aborted first. */
  step(owner: Owner, signal?: AbortSignal): Promise<void> {
    return this.#wait(owner, signal, (resume) => {
      const parked = { owner, resume };
      this.#parked.push(parked);
      return () => {
        this.#parked = this.#parked.filter((other) => other !== parked);
      };
    });
  }

  clockOf(owner: Owner): Clock {
    return {
      now: () => this.#now,
      sleep: (ms, signal) =>
        this.#wait(owner, signal, (resume) => {
          const timer = { owner, resume, time: this.#now + Math.max(0, ms) };
          this.#timers.push(timer);
          return () => {
            this.#timers = this.#timers.filter((other) => other !== timer);
          };
        }),
    };
  }

  #wait(
    owner: Owner,
    signal: AbortSignal | undefined,
    park: (resume: () => void) => () => void,
  ): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#dead.has(owner)) return;
      if (signal?.aborted) return reject(signal.reason);
      const leave = park(() => {
        signal?.removeEventListener('abort', abort);
        resolve();
      });
      const abort = () => {
        leave();
        reject(signal?.reason);
      };
      signal?.addEventListener('abort', abort, { once: true });
    });
  }

  /** Ends whatever this owner waits for, now and later: its code never goes on. */
  kill(owner: Owner): void {
    this.#dead.add(owner);
    this.#parked = this.#parked.filter((parked) => parked.owner !== owner);
    this.#timers = this.#timers.filter((timer) => timer.owner !== owner);
  }

  /** Takes turns until `isDone` says so. Throws when nothing is left to happen, or too much has. */
  async run(isDone: () => boolean): Promise<void> {
    await codeWaits();
    while (!isDone()) {
      this.#turns += 1;
      if (this.#turns > TURNS_MAX) throw new Error(`not done after ${TURNS_MAX} turns`);
      if (!this.#resumeOne()) throw new Error('not done, and nothing is left to happen');
      await codeWaits();
    }
  }

  #resumeOne(): boolean {
    const timePasses = this.#parked.length === 0 || this.#random.chance(TIME_PASSES_FIRST);
    if (timePasses && this.#resumeTimer()) return true;
    if (this.#parked.length === 0) return false;
    const index = this.#random.integer(this.#parked.length);
    const [parked] = this.#parked.splice(index, 1);
    this.#now += this.#random.integer(3);
    parked?.resume();
    return true;
  }

  #resumeTimer(): boolean {
    let first = 0;
    for (let index = 1; index < this.#timers.length; index += 1) {
      if ((this.#timers[index] as Timer).time < (this.#timers[first] as Timer).time) first = index;
    }
    const [timer] = this.#timers.splice(first, 1);
    if (timer === undefined) return false;
    this.#now = Math.max(this.#now, timer.time);
    timer.resume();
    return true;
  }
}

/** Resolves when all code has run until it waits for the scheduler: every promise that could settle has. */
function codeWaits(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
