import { type Clock, CodedError } from '@twinstream/runtime';
import type { BatchCall, Network } from '../network.ts';

/** What a request came to, before its process knows. */
export type Reply =
  | { readonly kind: 'answered'; readonly answer: unknown }
  | { readonly kind: 'refused'; readonly code: string };

/** A request of a process: on its way to take effect until there is a reply, then its reply is on the way back. */
export interface Request {
  /** How many requests its process had made before. */
  readonly number: number;
  readonly operation: string;
  /** How much its process had been told when it asked. */
  readonly toldCount: number;
  readonly effect: () => Promise<unknown>;
  reply?: Reply;
  /** It took effect once already, and takes effect again. */
  isRepeated: boolean;
}

interface Waiting extends Request {
  readonly settle: (reply: Reply) => void;
}

/** An abandoned write that takes effect later. */
export interface LateRequest {
  readonly owner: string;
  readonly request: Request;
  /** All that its content depends on. */
  readonly origin: unknown;
}

/** Operations that leave everything as it was. What is not listed counts as a write. */
const READS = new Set(['page query', 'snapshot query', 'state read', 'item read']);

export function isRead({ operation }: Request): boolean {
  return READS.has(operation);
}

/**
 * One container from its start to its end, as the outside sees it. Its code is deterministic and time does not advance, so
 * all that is in its memory is a function of where it started and what it was told since, in that order.
 */
export class Process implements Pick<Network, 'call' | 'callBatch'> {
  readonly owner: string;
  readonly requests: Waiting[] = [];
  readonly clock: Clock;
  readonly #start: unknown;
  readonly #onLate: (late: LateRequest) => void;
  /** Replies, each with its request's number, and `deadline`. */
  readonly #told: unknown[] = [];
  #requestCount = 0;
  #strikeDeadline: (() => void) | undefined;

  constructor(owner: string, start: unknown, time: number, onLate: (late: LateRequest) => void) {
    this.owner = owner;
    this.#start = start;
    this.#onLate = onLate;
    this.clock = { now: () => time, sleep: (_ms, signal) => this.#sleep(signal) };
  }

  /** True while something is on its way to this process, and nothing from it. */
  get isOnlyTold(): boolean {
    return this.requests.length > 0 && this.requests.every(({ reply }) => reply !== undefined);
  }

  /** True while an invocation would be stopped by its deadline. */
  get hasDeadline(): boolean {
    return this.#strikeDeadline !== undefined;
  }

  /** All that the memory of this process depends on. */
  memory(toldCount = this.#told.length): unknown {
    return [this.#start, this.#told.slice(0, toldCount)];
  }

  call<Answer>(
    _owner: string,
    operation: string,
    effect: () => Promise<Answer>,
    signal?: AbortSignal,
  ): Promise<Answer> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const abort = () => {
        this.#giveUp(request);
        reject(signal?.reason);
      };
      const settle = (reply: Reply) => {
        signal?.removeEventListener('abort', abort);
        if (reply.kind === 'answered') resolve(reply.answer as Answer);
        else reject(new CodedError(reply.code, 'simulated', { retryable: true }));
      };
      const [number, toldCount] = [this.#requestCount, this.#told.length];
      const request: Waiting = { number, operation, toldCount, effect, isRepeated: false, settle };
      this.#requestCount += 1;
      this.requests.push(request);
      signal?.addEventListener('abort', abort, { once: true });
    });
  }

  /** A batch of one: models have one device, whose writes follow one another. Throws RangeError for others. */
  async callBatch<Answer>(
    owner: string,
    { operation, effects, signal }: BatchCall<Answer>,
  ): Promise<Answer[]> {
    const [effect, ...others] = effects;
    if (effect === undefined || others.length > 0) throw new RangeError(`a batch of ${effects.length}`);
    return [await this.call(owner, operation, effect, signal)];
  }

  /** The reply arrives, and the code goes on. */
  tell(request: Waiting, reply: Reply): void {
    this.#forget(request);
    this.#told.push([request.number, reply]);
    request.settle(reply);
  }

  /** Lets the abandoned request take effect. */
  landLater(request: Request): void {
    const origin = [this.memory(request.toldCount), request.number];
    if (!isRead(request)) this.#onLate({ owner: this.owner, request: { ...request }, origin });
  }

  strikeDeadline(): void {
    this.#told.push('deadline');
    this.#strikeDeadline?.();
  }

  /** Ends the process: none of its code goes on. What has left it may land at any time; `unsent` has not left it. */
  kill(unsent: Request): void {
    this.#forget(unsent);
    for (const request of [...this.requests]) this.#giveUp(request);
  }

  #giveUp(request: Request): void {
    this.#forget(request);
    if (request.reply === undefined) this.landLater(request);
  }

  #forget(request: Request): void {
    const index = this.requests.findIndex(({ number }) => number === request.number);
    if (index !== -1) this.requests.splice(index, 1);
  }

  #sleep(signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const wake = () => {
        this.#strikeDeadline = undefined;
        resolve();
      };
      this.#strikeDeadline = wake;
      signal?.addEventListener(
        'abort',
        () => {
          if (this.#strikeDeadline === wake) this.#strikeDeadline = undefined;
          reject(signal.reason);
        },
        { once: true },
      );
    });
  }
}
