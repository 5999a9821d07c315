import { type Clock, CodedError, systemClock } from '@twinstream/runtime';
import { fullJitterMs } from '@twinstream/stream-model';

/** What one call of a batch came to. */
export type CallAnswer<Outcome> =
  /** The call was decided: it took effect, its condition did not hold, or it was read. */
  | { readonly kind: 'decided'; readonly outcome: Outcome }
  /** Throttled or failed in the service: it is sent again, unless it was the last try. */
  | { readonly kind: 'try-again'; readonly error: CodedError }
  | { readonly kind: 'refused'; readonly error: CodedError };

export interface RequestBatcherOptions<Call, Outcome> {
  /**
   * Sends up to {@link RequestBatcherLimits.callsMax} calls of different items in one request, and returns one answer for
   * each, in their order. Where it rejects, each of the calls may have happened.
   */
  readonly send: (calls: readonly Call[], signal: AbortSignal) => Promise<readonly CallAnswer<Outcome>[]>;
  /** The item that a call is about: two calls about one item never share a request. */
  readonly itemOf: (call: Call) => string;
  /** Bytes that a call adds to a request. */
  readonly bytesOf: (call: Call) => number;
  readonly limits?: Partial<RequestBatcherLimits>;
  /** For waits between tries. */
  readonly clock?: Pick<Clock, 'sleep'>;
  /** Draws from [0, 1). */
  readonly random?: () => number;
  readonly schedule?: Schedule;
}

/** Calls back after `ms` milliseconds; 0 is after the current turn of the event loop. Returns how to call it off. */
export type Schedule = (callback: () => void, ms: number) => () => void;

export interface RequestBatcherLimits {
  /** Statements of one `BatchExecuteStatement` ("PartiQL for DynamoDB", developer guide, read 2026-11: 25). */
  readonly callsMax: number;
  /** Bytes of one request. A call that is larger goes alone. DynamoDB takes 16 MiB. */
  readonly bytesMax: number;
  /**
   * Longest wait for more calls while other requests are under way, in milliseconds. A call that finds none under way
   * waits for the end of the current turn of the event loop alone.
   */
  readonly lingerMs: number;
  /** How often a call is sent at most. */
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

export interface RequestBatcher<Call, Outcome> {
  /**
   * Resolves with the call's own outcome, whatever becomes of the calls that share its request. Rejects with the error
   * of its last try, with that of a request that failed whole (the call may have happened), or with the signal's reason
   * when it is aborted: one that was under way may have happened. A request is aborted when all its calls are.
   */
  call(call: Call, signal?: AbortSignal): Promise<Outcome>;
}

interface Entry<Call, Outcome> {
  readonly call: Call;
  readonly item: string;
  readonly bytes: number;
  readonly signal: AbortSignal | undefined;
  readonly settle: (answer: CallAnswer<Outcome>) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Gathers reads or writes of single items into batches. Calls that are made in one turn of the event loop share requests;
 * while requests are under way, later ones linger for at most `lingerMs`, or until a request ends.
 */
export function createRequestBatcher<Call, Outcome>(
  options: RequestBatcherOptions<Call, Outcome>,
): RequestBatcher<Call, Outcome> {
  const { clock = systemClock, random = Math.random, schedule = afterTurnOrTime } = options;
  const limits = { ...REQUEST_BATCHER_LIMITS, ...options.limits };
  const gathered = new Gathering(options, limits, schedule);

  return {
    // One promise a call: there are some tens of thousands of calls a second.
    call: (call, signal) =>
      new Promise((resolve, reject) => {
        const again = (error: CodedError, attempt: number) => {
          if (attempt + 1 >= limits.triesMax) return reject(error);
          const { backoffBaseMs: baseMs, backoffCapMs: capMs } = limits;
          clock
            .sleep(fullJitterMs(attempt, { baseMs, capMs }, random), signal)
            .then(() => send(attempt + 1))
            .catch(reject);
        };
        const send = (attempt: number) => {
          if (signal?.aborted) return reject(signal.reason);
          const settle = (answer: CallAnswer<Outcome>) => {
            if (answer.kind === 'decided') resolve(answer.outcome);
            else if (answer.kind === 'refused') reject(answer.error);
            else again(answer.error, attempt);
          };
          gathered.add(call, { signal, settle, reject });
        };
        send(0);
      }),
  };
}

class Gathering<Call, Outcome> {
  readonly #options: RequestBatcherOptions<Call, Outcome>;
  readonly #limits: RequestBatcherLimits;
  readonly #schedule: Schedule;
  #waiting: Entry<Call, Outcome>[] = [];
  #waitingBytes = 0;
  readonly #waitingItems = new Set<string>();
  #requestsUnderWay = 0;
  #due: { readonly ms: number; readonly cancel: () => void } | undefined;

  constructor(
    options: RequestBatcherOptions<Call, Outcome>,
    limits: RequestBatcherLimits,
    schedule: Schedule,
  ) {
    this.#options = options;
    this.#limits = limits;
    this.#schedule = schedule;
  }

  add(
    call: Call,
    { signal, settle, reject }: Pick<Entry<Call, Outcome>, 'signal' | 'settle' | 'reject'>,
  ): void {
    const item = this.#options.itemOf(call);
    const bytes = this.#options.bytesOf(call);
    const { callsMax, bytesMax } = this.#limits;
    const isFull = this.#waiting.length > 0 && this.#waitingBytes + bytes > bytesMax;
    if (isFull || this.#waitingItems.has(item)) this.#send();
    this.#waiting.push({ call, item, bytes, signal, settle, reject });
    this.#waitingBytes += bytes;
    this.#waitingItems.add(item);
    if (this.#waiting.length >= callsMax || this.#waitingBytes >= bytesMax) this.#send();
    else this.#sendWithin(this.#requestsUnderWay === 0 ? 0 : this.#limits.lingerMs);
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

  async #request(entries: readonly Entry<Call, Outcome>[]): Promise<void> {
    this.#requestsUnderWay += 1;
    const { signal, release } = signalOfAll(entries.map((entry) => entry.signal));
    try {
      const answers = await this.#options.send(
        entries.map(({ call }) => call),
        signal,
      );
      if (answers.length !== entries.length) {
        const message = `${answers.length} answers came for ${entries.length} calls`;
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
