import { type Clock, CodedError, systemClock } from '@twinstream/runtime';
import { fullJitterMs } from '@twinstream/stream-model';

/** What one write of a batch came to. */
export type CallAnswer<Outcome> =
  /** The write was decided: it took effect, or its condition did not hold. */
  | { readonly kind: 'decided'; readonly outcome: Outcome }
  /** Throttled or failed in the service: it is sent again, unless it was the last try. */
  | { readonly kind: 'try-again'; readonly error: CodedError }
  | { readonly kind: 'refused'; readonly error: CodedError };

export interface RequestBatcherOptions<Write, Outcome> {
  /**
   * Sends up to {@link RequestBatcherLimits.callsMax} writes of different items in one request, and returns one answer for
   * each, in their order. Where it rejects, each of the writes may have happened.
   */
  readonly send: (writes: readonly Write[], signal: AbortSignal) => Promise<readonly CallAnswer<Outcome>[]>;
  /** The item that a write is to: two writes of one item never share a request. */
  readonly itemOf: (write: Write) => string;
  /** Bytes that a write adds to a request. */
  readonly bytesOf: (write: Write) => number;
  readonly limits?: Partial<RequestBatcherLimits>;
  /** For waits between tries. */
  readonly clock?: Pick<Clock, 'sleep'>;
  /** Draws from [0, 1). */
  readonly random?: () => number;
  /** Calls back after `ms` milliseconds; 0 is after the current turn of the event loop. Returns how to call it off. */
  readonly schedule?: (callback: () => void, ms: number) => () => void;
}

export interface RequestBatcherLimits {
  /** Statements of one `BatchExecuteStatement` ("PartiQL for DynamoDB", developer guide, read 2026-11: 25). */
  readonly callsMax: number;
  /** Bytes of one request. A write that is larger goes alone. DynamoDB takes 16 MiB. */
  readonly bytesMax: number;
  /**
   * Longest wait for more writes while other requests are under way, in milliseconds. A write that finds none under way
   * waits for the end of the current turn of the event loop alone.
   */
  readonly lingerMs: number;
  /** How often a write is sent at most. */
  readonly triesMax: number;
  readonly backoffBaseMs: number;
  readonly backoffCapMs: number;
}

export const REQUEST_BATCHER_LIMITS: RequestBatcherLimits = {
  callsMax: 25,
  bytesMax: 4 * 1024 * 1024,
  lingerMs: 2,
  triesMax: 5,
  backoffBaseMs: 50,
  backoffCapMs: 1_000,
};

export interface RequestBatcher<Write, Outcome> {
  /**
   * Resolves with the write's own outcome, whatever becomes of the writes that share its request. Rejects with the error
   * of its last try, with that of a request that failed whole (the write may have happened), or with the signal's reason
   * when it is aborted: one that was under way may have happened. A request is aborted when all its writes are.
   */
  write(write: Write, signal?: AbortSignal): Promise<Outcome>;
}

interface Entry<Write, Outcome> {
  readonly write: Write;
  readonly item: string;
  readonly bytes: number;
  readonly signal: AbortSignal | undefined;
  readonly settle: (answer: CallAnswer<Outcome>) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Gathers single writes into batches. Writes that are made in one turn of the event loop share requests; while requests
 * are under way, later ones linger for at most `lingerMs`, or until a request ends.
 */
export function createRequestBatcher<Write, Outcome>(
  options: RequestBatcherOptions<Write, Outcome>,
): RequestBatcher<Write, Outcome> {
  const { clock = systemClock, random = Math.random, schedule = afterTurnOrTime } = options;
  const limits = { ...REQUEST_BATCHER_LIMITS, ...options.limits };
  const gathered = new Gathering(options, limits, schedule);

  return {
    async write(write, signal) {
      for (let attempt = 0; ; attempt += 1) {
        signal?.throwIfAborted();
        const answer = await gathered.add(write, signal);
        if (answer.kind === 'decided') return answer.outcome;
        if (answer.kind === 'refused' || attempt + 1 >= limits.triesMax) throw answer.error;
        const { backoffBaseMs: baseMs, backoffCapMs: capMs } = limits;
        await clock.sleep(fullJitterMs(attempt, { baseMs, capMs }, random), signal);
      }
    },
  };
}

class Gathering<Write, Outcome> {
  readonly #options: RequestBatcherOptions<Write, Outcome>;
  readonly #limits: RequestBatcherLimits;
  readonly #schedule: NonNullable<RequestBatcherOptions<Write, Outcome>['schedule']>;
  #waiting: Entry<Write, Outcome>[] = [];
  #waitingBytes = 0;
  readonly #waitingItems = new Set<string>();
  #requestsUnderWay = 0;
  #due: { readonly ms: number; readonly cancel: () => void } | undefined;

  constructor(
    options: RequestBatcherOptions<Write, Outcome>,
    limits: RequestBatcherLimits,
    schedule: NonNullable<RequestBatcherOptions<Write, Outcome>['schedule']>,
  ) {
    this.#options = options;
    this.#limits = limits;
    this.#schedule = schedule;
  }

  add(write: Write, signal: AbortSignal | undefined): Promise<CallAnswer<Outcome>> {
    return new Promise((settle, reject) => {
      const item = this.#options.itemOf(write);
      const bytes = this.#options.bytesOf(write);
      const { callsMax, bytesMax } = this.#limits;
      const isFull = this.#waiting.length > 0 && this.#waitingBytes + bytes > bytesMax;
      if (isFull || this.#waitingItems.has(item)) this.#send();
      this.#waiting.push({ write, item, bytes, signal, settle, reject });
      this.#waitingBytes += bytes;
      this.#waitingItems.add(item);
      if (this.#waiting.length >= callsMax || this.#waitingBytes >= bytesMax) this.#send();
      else this.#sendWithin(this.#requestsUnderWay === 0 ? 0 : this.#limits.lingerMs);
    });
  }

  #sendWithin(ms: number): void {
    if (this.#due !== undefined && this.#due.ms <= ms) return;
    this.#due?.cancel();
    this.#due = { ms, cancel: this.#schedule(() => this.#send(), ms) };
  }

  #send(): void {
    this.#due?.cancel();
    this.#due = undefined;
    const entries = this.#waiting.filter((entry) => {
      if (!entry.signal?.aborted) return true;
      entry.reject(entry.signal.reason);
      return false;
    });
    this.#waiting = [];
    this.#waitingBytes = 0;
    this.#waitingItems.clear();
    if (entries.length > 0) void this.#request(entries);
  }

  async #request(entries: readonly Entry<Write, Outcome>[]): Promise<void> {
    this.#requestsUnderWay += 1;
    const { signal, release } = signalOfAll(entries.map((entry) => entry.signal));
    try {
      const answers = await this.#options.send(
        entries.map(({ write }) => write),
        signal,
      );
      if (answers.length !== entries.length) {
        const message = `${answers.length} answers came for ${entries.length} writes`;
        throw new CodedError('BATCH_ANSWER_DAMAGED', message, { retryable: true });
      }
      for (const [index, answer] of answers.entries()) entries[index]?.settle(answer);
    } catch (error) {
      for (const entry of entries) entry.reject(entry.signal?.aborted ? entry.signal.reason : error);
    } finally {
      release();
      this.#requestsUnderWay -= 1;
      if (this.#waiting.length > 0) this.#sendWithin(0);
    }
  }
}

/** A signal that is aborted when all of these are; one that is absent never is. */
function signalOfAll(signals: readonly (AbortSignal | undefined)[]): {
  readonly signal: AbortSignal;
  readonly release: () => void;
} {
  const [first] = signals;
  if (first !== undefined && signals.every((signal) => signal === first)) {
    return { signal: first, release: () => undefined };
  }
  const controller = new AbortController();
  const distinct = new Set(signals);
  const onAbort = () => {
    if ([...distinct].every((signal) => signal?.aborted)) controller.abort(first?.reason);
  };
  for (const signal of distinct) signal?.addEventListener('abort', onAbort);
  return {
    signal: controller.signal,
    release: () => {
      for (const signal of distinct) signal?.removeEventListener('abort', onAbort);
    },
  };
}

function afterTurnOrTime(callback: () => void, ms: number): () => void {
  if (ms === 0) {
    const turn = setImmediate(callback);
    return () => clearImmediate(turn);
  }
  const timer = setTimeout(callback, ms);
  return () => clearTimeout(timer);
}
