import type { PoolAssignment } from './assignment.ts';
import type { ContainerSetup } from './container-message.ts';
import { type ContainerOutcome, FunctionContainer } from './function-container.ts';

export interface ContainerPoolOptions {
  readonly setup: ContainerSetup;
  readonly timeoutMs: number;
  /** Most invocations at a time, each in a container of its own. */
  readonly concurrency: number;
  readonly assignment: PoolAssignment;
}

/** Undefined when all containers are busy and no more may be started. */
export type PoolOutcome = ContainerOutcome | undefined;

interface Slot {
  readonly container: FunctionContainer;
  affinity: string;
}

/** The containers of one function: started when an invocation finds none free, kept warm, replaced when they die. */
export class ContainerPool {
  readonly #options: ContainerPoolOptions;
  /** Free containers, the one that rested longest first. */
  #free: Slot[] = [];
  #busyCount = 0;
  #idle: (() => void) | undefined;

  constructor(options: ContainerPoolOptions) {
    this.#options = options;
  }

  /** Starts one container, so that a function that cannot be loaded is known immediately. Throws `FUNCTION_BROKEN`. */
  async warm(): Promise<void> {
    this.#free.push(await this.#startSlot(''));
  }

  async invoke(requestId: string, payload: ArrayBuffer, affinity: string): Promise<PoolOutcome> {
    if (this.#busyCount >= this.#options.concurrency) return undefined;
    this.#busyCount += 1;
    try {
      const slot = this.#takeFree(affinity) ?? (await this.#startSlot(affinity));
      slot.affinity = affinity;
      const outcome = await slot.container.invoke(requestId, payload);
      if (slot.container.isAlive) this.#free.push(slot);
      return outcome;
    } finally {
      this.#busyCount -= 1;
      if (this.#busyCount === 0) this.#idle?.();
    }
  }

  /** Lets the invocations under way finish, then ends all containers. */
  async close(): Promise<void> {
    if (this.#busyCount > 0) {
      await new Promise<void>((resolve) => {
        this.#idle = resolve;
      });
    }
    await Promise.all(this.#free.map(({ container }) => container.close()));
    this.#free = [];
  }

  #takeFree(affinity: string): Slot | undefined {
    this.#free = this.#free.filter(({ container }) => container.isAlive);
    const index = this.#choose(affinity);
    return index === undefined ? undefined : this.#free.splice(index, 1)[0];
  }

  /** Undefined when a new container is the better choice, or the only one. */
  #choose(affinity: string): number | undefined {
    if (this.#free.length === 0) return undefined;
    if (this.#options.assignment === 'rotate') return 0;
    const known = this.#free.findIndex((slot) => slot.affinity === affinity);
    if (known !== -1) return known;
    const unused = this.#free.findIndex((slot) => slot.affinity === '');
    if (unused !== -1) return unused;
    const mayGrow = this.#free.length + this.#busyCount <= this.#options.concurrency;
    return mayGrow ? undefined : 0;
  }

  async #startSlot(affinity: string): Promise<Slot> {
    const { setup, timeoutMs } = this.#options;
    return { container: await FunctionContainer.start(setup, timeoutMs), affinity };
  }
}
