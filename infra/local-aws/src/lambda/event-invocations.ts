import type { Clock, Logger } from '@twinstream/runtime';
import { type BackoffOptions, fullJitterMs } from '@twinstream/stream-model';
import type { FunctionInvoker } from './function-invoker.ts';

/** Waits before the second and the third try of a function that failed ("How Lambda handles errors and retries with asynchronous invocation", developer guide, read 2026-12). */
export const ERROR_RETRY_WAITS_MS: readonly number[] = [60_000, 120_000];
/** Between tries of a function that cannot be invoked: from 1 s to 5 min (the same page). */
const UNAVAILABLE_BACKOFF: BackoffOptions = { baseMs: 1_000, capMs: 300_000 };
/** How long an event is kept for a function that cannot be invoked (the same page). */
export const EVENT_AGE_MS_MAX = 6 * 3_600_000;
/** A payload of an asynchronous invocation: "Lambda quotas", developer guide, read 2026-12. */
export const EVENT_PAYLOAD_BYTES_MAX = 1_024 * 1_024;
/** Ours: what waits is in memory. */
export const WAITING_BYTES_MAX = 64 * 1_024 * 1_024;

export interface EventInvocationsOptions {
  readonly invoker: FunctionInvoker;
  readonly clock: Clock;
  /** Draws from [0, 1). */
  readonly random: () => number;
  readonly logger: Logger;
}

/** Asynchronous invocations: accepted first, carried out afterwards, tried again as Lambda does, and dropped in the end. */
export interface EventInvocations {
  /** False where so much waits already that the event is not accepted. */
  accept(functionName: string, payload: string): boolean;
  /** Drops what waits, and lets invocations under way finish, for at most `graceMs`. */
  close(graceMs: number): Promise<void>;
}

/** Events are in memory: those that wait at the end of the process are lost, which is logged. */
export function eventInvocations({
  invoker,
  clock,
  random,
  logger,
}: EventInvocationsOptions): EventInvocations {
  const underWay = new Set<Promise<void>>();
  const stop = new AbortController();
  const cut = new AbortController();
  let waitingBytes = 0;

  async function wait(ms: number): Promise<void> {
    await clock.sleep(ms, stop.signal).catch((error: unknown) => {
      if (!stop.signal.aborted) throw error;
    });
  }

  /** Invokes until the function succeeds or its event is given up. */
  async function carryOut(functionName: string, payload: string): Promise<void> {
    const acceptedMs = clock.now();
    let errors = 0;
    let refusals = 0;
    while (!stop.signal.aborted) {
      const outcome = await invoker.invoke(functionName, payload, { affinity: 'event', signal: cut.signal });
      if (outcome.kind === 'answered') return;
      if (outcome.kind === 'unavailable') {
        const delayMs = fullJitterMs(refusals, UNAVAILABLE_BACKOFF, random);
        refusals += 1;
        if (clock.now() + delayMs - acceptedMs > EVENT_AGE_MS_MAX) {
          logger.error(
            { functionName, reason: outcome.reason },
            'event dropped: the function is unavailable',
          );
          return;
        }
        await wait(delayMs);
        continue;
      }
      const delayMs = ERROR_RETRY_WAITS_MS[errors];
      errors += 1;
      if (delayMs === undefined) {
        logger.error(
          { functionName, error: outcome.payload },
          'event dropped: the function failed three times',
        );
        return;
      }
      await wait(delayMs);
    }
    logger.warn({ functionName }, 'event dropped: Lambda stops');
  }

  return {
    accept: (functionName, payload) => {
      const bytes = Buffer.byteLength(payload);
      if (waitingBytes + bytes > WAITING_BYTES_MAX) return false;
      waitingBytes += bytes;
      const work: Promise<void> = carryOut(functionName, payload)
        .catch((error: unknown) => logger.error({ error, functionName }, 'event dropped: a defect'))
        .finally(() => {
          waitingBytes -= bytes;
          underWay.delete(work);
        });
      underWay.add(work);
      return true;
    },
    close: async (graceMs) => {
      stop.abort();
      const timer = setTimeout(() => cut.abort(), graceMs);
      await Promise.all(underWay);
      clearTimeout(timer);
    },
  };
}
