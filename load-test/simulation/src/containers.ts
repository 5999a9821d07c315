import type { BatchAnswer, KinesisLambdaEvent } from '@twinstream/stream-model';
import type { Random } from '@twinstream/test-kit';
import type { Owner, Scheduler } from './scheduler.ts';

/** A function of the code under test, in one container. */
export type FunctionUnderTest = (
  event: KinesisLambdaEvent,
  invocation: { readonly requestId: string; readonly remainingMs: () => number },
) => Promise<BatchAnswer>;

interface Container {
  readonly owner: Owner;
  readonly run: FunctionUnderTest;
  readonly crashed: Promise<'crashed'>;
  readonly reportCrash: () => void;
  /** Invocations whose code has not ended, zombies included. */
  runningCount: number;
}

export type InvocationResult =
  | { readonly kind: 'answered'; readonly answer: BatchAnswer }
  /** The function threw, its process died, or the caller stopped waiting while its code went on. */
  | { readonly kind: 'failed'; readonly how: 'threw' | 'crashed' | 'abandoned'; readonly error?: unknown };

/** How long a function may take. */
const TIMEOUT_MS = 4_000;
const CONTAINERS_MAX = 3;
const FRESH_CONTAINER = 0.1;
/** How often an invocation is abandoned although its code goes on: a zombie that writes beside its successor. */
const ABANDONED = 0.05;

/** Containers of one function, each with its own memory, given to invocations at random, also while a zombie still runs in them. */
export class Containers {
  readonly #name: string;
  readonly #create: (owner: Owner) => FunctionUnderTest;
  readonly #scheduler: Scheduler;
  readonly #random: Random;
  #containers: Container[] = [];
  #started = 0;
  #requests = 0;
  abandonedCount = 0;
  #pause: PromiseWithResolvers<void> | undefined;

  constructor(
    name: string,
    create: (owner: Owner) => FunctionUnderTest,
    scheduler: Scheduler,
    random: Random,
  ) {
    this.#name = name;
    this.#create = create;
    this.#scheduler = scheduler;
    this.#random = random;
  }

  owns(owner: Owner): boolean {
    return this.#containers.some((container) => container.owner === owner);
  }

  crash(owner: Owner): void {
    const container = this.#containers.find((candidate) => candidate.owner === owner);
    if (container === undefined) return;
    this.#containers = this.#containers.filter((other) => other !== container);
    this.#scheduler.kill(owner);
    container.reportCrash();
  }

  /** True when no code of this function runs. */
  get isIdle(): boolean {
    return this.#containers.every(({ runningCount }) => runningCount === 0);
  }

  /** Begins no invocation until it is resumed; what runs goes on. */
  pause(): void {
    this.#pause ??= Promise.withResolvers();
  }

  get isPaused(): boolean {
    return this.#pause !== undefined;
  }

  /** Goes on in new containers: nothing is remembered. What runs, because another has resumed it already, fails. */
  resume(): void {
    for (const { owner } of [...this.#containers]) this.crash(owner);
    this.#pause?.resolve();
    this.#pause = undefined;
  }

  async invoke(event: KinesisLambdaEvent, mayBeAbandoned: boolean): Promise<InvocationResult> {
    while (this.#pause !== undefined) await this.#pause.promise;
    const container = this.#assign();
    container.runningCount += 1;
    this.#requests += 1;
    const deadline = this.#scheduler.now + TIMEOUT_MS;
    const requestId = `${this.#name}-${this.#requests}`;
    const running = container
      .run(event, { requestId, remainingMs: () => deadline - this.#scheduler.now })
      .then(
        (answer): InvocationResult => ({ kind: 'answered', answer }),
        (error: unknown): InvocationResult => ({ kind: 'failed', how: 'threw', error }),
      )
      .finally(() => {
        container.runningCount -= 1;
      });
    const crashed = container.crashed.then((how): InvocationResult => ({ kind: 'failed', how }));
    if (!mayBeAbandoned || !this.#random.chance(ABANDONED)) return await Promise.race([running, crashed]);
    const impatience = new AbortController();
    const abandoned = this.#scheduler
      .clockOf(`caller-${requestId}`)
      .sleep(this.#random.integer(TIMEOUT_MS / 8), impatience.signal)
      .then(
        (): InvocationResult => {
          this.abandonedCount += 1;
          return { kind: 'failed', how: 'abandoned' };
        },
        () => running,
      );
    const result = await Promise.race([running, crashed, abandoned]);
    impatience.abort();
    return result;
  }

  #assign(): Container {
    const wantsFresh = this.#containers.length < CONTAINERS_MAX && this.#random.chance(FRESH_CONTAINER);
    if (this.#containers.length > 0 && !wantsFresh) return this.#random.pick(this.#containers);
    this.#started += 1;
    const owner = `${this.#name}-container-${this.#started}`;
    const { promise: crashed, resolve } = Promise.withResolvers<'crashed'>();
    const container = {
      owner,
      run: this.#create(owner),
      crashed,
      reportCrash: () => resolve('crashed'),
      runningCount: 0,
    };
    this.#containers.push(container);
    return container;
  }
}
