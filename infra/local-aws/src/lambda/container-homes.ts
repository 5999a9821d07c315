import type { ContainerSetup } from './container-message.ts';
import { type ContainerOutcome, FunctionContainer } from './function-container.ts';

export interface ContainerHomesOptions {
  readonly setup: ContainerSetup;
  readonly timeoutMs: number;
  /** Most containers, each of which runs one invocation at a time. */
  readonly containersMax: number;
}

interface Home {
  container: Promise<FunctionContainer>;
  affinityCount: number;
  /** Settles when the invocation before has ended. */
  turn: Promise<void>;
}

/**
 * Containers of which each serves the same affinities (a shard's lane) for good, one invocation after the other: what it
 * caches of its shards' devices serves again, and a machine of few cores need not load and compile the function once for
 * every shard. On Lambda each shard has a container of its own; here its invocations wait for the others of its home.
 */
export class ContainerHomes {
  readonly #options: ContainerHomesOptions;
  readonly #homes: Home[] = [];
  readonly #homeOf = new Map<string, Home>();

  constructor(options: ContainerHomesOptions) {
    this.#options = options;
  }

  /** Starts one container, so that a function that cannot be loaded is known immediately. Throws `FUNCTION_BROKEN`. */
  async warm(): Promise<void> {
    await this.#newHome().container;
  }

  async invoke(requestId: string, payload: ArrayBuffer, affinity: string): Promise<ContainerOutcome> {
    const home = this.#take(affinity);
    const before = home.turn;
    const { promise: ended, resolve: end } = Promise.withResolvers<void>();
    home.turn = ended;
    try {
      await before;
      const container = await this.#alive(home);
      return await container.invoke(requestId, payload);
    } finally {
      end();
    }
  }

  /** Lets the invocations under way finish, then ends all containers. */
  async close(): Promise<void> {
    await Promise.all(
      this.#homes.map(async ({ turn, container }) => {
        await turn;
        await (await container.catch(() => undefined))?.close();
      }),
    );
  }

  #take(affinity: string): Home {
    const known = this.#homeOf.get(affinity);
    if (known !== undefined) return known;
    const least = this.#homes.reduce<Home | undefined>(
      (best, home) => (best !== undefined && best.affinityCount <= home.affinityCount ? best : home),
      undefined,
    );
    const isFree = least?.affinityCount === 0;
    const mayGrow = this.#homes.length < this.#options.containersMax;
    const home = least === undefined || (mayGrow && !isFree) ? this.#newHome() : least;
    home.affinityCount += 1;
    this.#homeOf.set(affinity, home);
    return home;
  }

  #newHome(): Home {
    const home = { container: this.#start(), affinityCount: 0, turn: Promise.resolve() };
    this.#homes.push(home);
    return home;
  }

  /** Replaces a container that has died. */
  async #alive(home: Home): Promise<FunctionContainer> {
    const container = await home.container.catch(() => undefined);
    if (container?.isAlive) return container;
    home.container = this.#start();
    return home.container;
  }

  #start(): Promise<FunctionContainer> {
    const { setup, timeoutMs } = this.#options;
    const starting = FunctionContainer.start(setup, timeoutMs);
    // Callers that wait for it are told; a container without waiting callers is started again on demand.
    starting.catch(() => undefined);
    return starting;
  }
}
