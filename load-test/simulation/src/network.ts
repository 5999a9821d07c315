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

/** A request that asks for several effects, each of which takes place, or not, by itself. */
export interface BatchCall<Answer> {
  readonly operation: string;
  readonly effects: readonly (() => Promise<Answer>)[];
  /** What is answered for one that was refused without effect. */
  readonly throttled: Answer;
  readonly signal: AbortSignal | undefined;
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

  /**
   * The effects take place in any order, at turns of their own. What goes wrong may go wrong with some of them: then others
   * take effect all the same.
   */
  async callBatch<Answer>(
    owner: Owner,
    { operation, effects, throttled, signal }: BatchCall<Answer>,
  ): Promise<Answer[]> {
    const { scheduler, random } = this.#options;
    const fault = this.#draw(owner, operation);
    if (fault === 'crash-before') return await this.#die(owner);
    const landLater = () => {
      for (const effect of effects) this.#landLater(operation, effect);
    };
    try {
      await scheduler.step(owner, signal);
    } catch (reason) {
      if (random.chance(0.5)) landLater();
      throw reason;
    }
    if (fault === 'late-landing') {
      landLater();
      return await this.#refuse(owner, 'REQUEST_TIMED_OUT', signal);
    }
    const isPartial = fault === 'throttle' || fault === 'lost-answer' || fault === 'crash-after';
    const all = effects.map((_, index) => index);
    const some = isPartial ? all.filter(() => random.chance(0.5)) : all;
    if (fault === 'throttle' && some.length === 0) return await this.#refuse(owner, 'THROTTLED', signal);
    if (some.length > 0 && some.length < effects.length) this.#count(`part of a ${operation}`);
    let answers = await this.#carryOut(effects, some, throttled);
    if (fault === 'crash-after') return await this.#die(owner);
    if (fault === 'lost-answer') return await this.#refuse(owner, 'CONNECTION_LOST', signal);
    if (fault === 'asked-twice') answers = await this.#carryOut(effects, some, throttled);
    await scheduler.step(owner, signal);
    return answers;
  }

  /** Once they have arrived, effects take place whatever becomes of the process that asked. */
  async #carryOut<Answer>(
    effects: readonly (() => Promise<Answer>)[],
    some: readonly number[],
    throttled: Answer,
  ): Promise<Answer[]> {
    const { scheduler, random } = this.#options;
    const answers = effects.map(() => throttled);
    const left = [...some];
    this.#landing += 1;
    while (left.length > 0) {
      const [index = 0] = left.splice(random.integer(left.length), 1);
      const effect = effects[index];
      if (effect !== undefined) answers[index] = await effect();
      if (left.length > 0) await scheduler.step(IN_FLIGHT);
    }
    this.#landing -= 1;
    return answers;
  }

  #count(name: string): void {
    this.injected.set(name, (this.injected.get(name) ?? 0) + 1);
  }

  #draw(owner: Owner, operation: string): FaultKind | undefined {
    const rates = this.#options.rates(owner);
    let draw = this.#options.random.next();
    for (const kind of FAULT_KINDS) {
      draw -= rates[kind];
      if (draw >= 0) continue;
      this.#count(`${kind} ${operation}`);
      return kind;
    }
    return undefined;
  }

  #landLater<Answer>(operation: string, effect: () => Promise<Answer>): void {
    const { scheduler, random } = this.#options;
    const turns = 1 + random.integer(LATE_TURNS_MAX);
    this.#landing += 1;
    const land = async () => {
      for (let turn = 0; turn < turns; turn += 1) await scheduler.step(IN_FLIGHT);
      // No caller receives its error.
      await effect().catch(() => undefined);
      this.#count(`landed late ${operation}`);
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
