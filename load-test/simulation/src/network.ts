import { CodedError } from '@twinstream/runtime';
import type { Random } from '@twinstream/test-kit';
import { FAULT_KINDS, type FaultKind, type FaultRates } from './faults.ts';
import type { Owner, Scheduler } from './scheduler.ts';

/** An abandoned request in flight. */
const IN_FLIGHT: Owner = 'network';

/** Turns that a late request takes to land, at most. */
const LATE_TURNS_MAX = 40;

export interface NetworkOptions {
  readonly scheduler: Scheduler;
  readonly random: Random;
  /** Probabilities for a process as they are now; a drained run sets them to 0. */
  readonly rates: (owner: Owner) => FaultRates;
  /** Ends a process: none of its code goes on. */
  readonly crash: (owner: Owner) => void;
}

/** Every request of the simulated processes: it travels, takes effect, and its answer travels, each at its own turn. */
export class Network {
  readonly injected = new Map<string, number>();
  readonly #options: NetworkOptions;
  #landing = 0;

  constructor(options: NetworkOptions) {
    this.#options = options;
  }

  /** Abandoned requests that have not taken effect yet. */
  get landingCount(): number {
    return this.#landing;
  }

  async call<Answer>(
    owner: Owner,
    operation: string,
    effect: () => Promise<Answer>,
    signal?: AbortSignal,
  ): Promise<Answer> {
    const { scheduler, random } = this.#options;
    const fault = this.#draw(owner, operation);
    if (fault === 'crash-before') return await this.#die(owner);
    try {
      await scheduler.step(owner, signal);
    } catch (reason) {
      if (random.chance(0.5)) this.#landLater(operation, effect);
      throw reason;
    }
    if (fault === 'throttle') return await this.#refuse(owner, 'THROTTLED', signal);
    if (fault === 'late-landing') {
      this.#landLater(operation, effect);
      return await this.#refuse(owner, 'REQUEST_TIMED_OUT', signal);
    }
    let answer = await effect();
    if (fault === 'crash-after') return await this.#die(owner);
    if (fault === 'lost-answer') return await this.#refuse(owner, 'CONNECTION_LOST', signal);
    if (fault === 'asked-twice') answer = await effect();
    await scheduler.step(owner, signal);
    return answer;
  }

  #draw(owner: Owner, operation: string): FaultKind | undefined {
    const rates = this.#options.rates(owner);
    let draw = this.#options.random.next();
    for (const kind of FAULT_KINDS) {
      draw -= rates[kind];
      if (draw >= 0) continue;
      const name = `${kind} ${operation}`;
      this.injected.set(name, (this.injected.get(name) ?? 0) + 1);
      return kind;
    }
    return undefined;
  }

  #landLater<Answer>(operation: string, effect: () => Promise<Answer>): void {
    const { scheduler, random } = this.#options;
    const turns = 1 + random.integer(LATE_TURNS_MAX);
    this.#landing += 1;
    const name = `landed late ${operation}`;
    const land = async () => {
      for (let turn = 0; turn < turns; turn += 1) await scheduler.step(IN_FLIGHT);
      // No caller receives its error.
      await effect().catch(() => undefined);
      this.injected.set(name, (this.injected.get(name) ?? 0) + 1);
      this.#landing -= 1;
    };
    void land();
  }

  async #refuse(owner: Owner, code: string, signal: AbortSignal | undefined): Promise<never> {
    await this.#options.scheduler.step(owner, signal);
    throw new CodedError(code, 'simulated', { retryable: true });
  }

  async #die(owner: Owner): Promise<never> {
    this.#options.crash(owner);
    return await new Promise(() => undefined);
  }
}
