import { type ApiError, resourceInUse } from './api-error.ts';

/** API reference, SubscribeToShard: a second call within 5 s of a successful one is refused, a later one takes over (read 2026-12). */
const EXCLUSIVE_MS = 5_000;
/** Twice as long as a subscription lasts. */
const SUBSCRIPTION_MS_MAX = 600_000;

interface ActiveSubscription {
  readonly startedMs: number;
  readonly stop: AbortController;
}

/** Which consumer is subscribed to which shard. */
export class ActiveSubscriptions {
  /** By the consumer's ARN and the shard's index. */
  readonly #active = new Map<string, ActiveSubscription>();

  /**
   * Begins a subscription, and ends one of the same consumer and shard with ResourceInUseException. Throws that when the other
   * began less than 5 s before, even if it has ended. The signal aborts when this one must end.
   */
  begin(consumerArn: string, shardIndex: number, other: string, nowMs: number): AbortSignal {
    const key = keyOf(consumerArn, shardIndex);
    const active = this.#active.get(key);
    // AWS's words (github.com/awslabs/amazon-kinesis-client/issues/391, read 2026-12).
    const inUse = resourceInUse(`Another active subscription exists for this consumer: ${other}`);
    if (active && nowMs - active.startedMs < EXCLUSIVE_MS) throw inUse;
    active?.stop.abort(inUse);
    this.#forgetEnded(nowMs);
    const stop = new AbortController();
    this.#active.set(key, { startedMs: nowMs, stop });
    return stop.signal;
  }

  /** Ends all subscriptions of a consumer. */
  end(consumerArn: string, reason: ApiError): void {
    for (const [key, { stop }] of this.#active) {
      if (!key.startsWith(`${consumerArn} `)) continue;
      this.#active.delete(key);
      stop.abort(reason);
    }
  }

  /** What began so long ago has ended. */
  #forgetEnded(nowMs: number): void {
    for (const [key, { startedMs }] of this.#active) {
      if (nowMs - startedMs > SUBSCRIPTION_MS_MAX) this.#active.delete(key);
    }
  }
}

function keyOf(consumerArn: string, shardIndex: number): string {
  return `${consumerArn} ${shardIndex}`;
}
