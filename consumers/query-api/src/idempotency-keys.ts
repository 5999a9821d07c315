import type { Clock } from '@twinstream/runtime';
import type { Position } from '@twinstream/stream-model';

/** What was asked for under a key, and where it was put. */
export interface KeyedRequest {
  /** Equal for equal requests. */
  readonly content: string;
  /** Absent while it is being put, or where it is unknown whether it was. */
  readonly position?: Position;
}

/** The keys of corrections that have been put lately, until their events can be found in the store. */
export interface IdempotencyKeys {
  find(deviceId: string, key: string): KeyedRequest | undefined;
  note(deviceId: string, key: string, request: KeyedRequest): void;
}

export interface IdempotencyKeysOptions {
  readonly clock: Clock;
  /** How long a key is remembered, in milliseconds: longer than a correction takes to be stored. Default 600,000. */
  readonly keptMs?: number;
  /** Keys that are remembered; beyond it the oldest are forgotten. Default 10,000. */
  readonly keysMax?: number;
}

export function createIdempotencyKeys(options: IdempotencyKeysOptions): IdempotencyKeys {
  const { clock, keptMs = 600_000, keysMax = 10_000 } = options;
  /** The oldest comes first. */
  const requests = new Map<string, KeyedRequest & { readonly time: number }>();
  const name = (deviceId: string, key: string) => JSON.stringify([deviceId, key]);
  return {
    find: (deviceId, key) => {
      const request = requests.get(name(deviceId, key));
      return request === undefined || clock.now() - request.time > keptMs ? undefined : request;
    },
    note: (deviceId, key, request) => {
      requests.delete(name(deviceId, key));
      requests.set(name(deviceId, key), { ...request, time: clock.now() });
      const [oldest] = requests.keys();
      if (requests.size > keysMax && oldest !== undefined) requests.delete(oldest);
    },
  };
}
