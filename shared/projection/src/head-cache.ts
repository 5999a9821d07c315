import type { DeviceId, DeviceState, RecentKeys } from '@twinstream/device-model';

/** Where a device's chain ends, and what of it can be read again from elsewhere. */
export interface Head {
  readonly state: DeviceState;
  /** The last page at which the state item is known to be: below the state's own where the table refuses the state. */
  readonly statePage: number;
  /** Page of the state item or of the snapshot from which another container goes on. */
  readonly basePage: number;
  /** Present where the state was read on from a snapshot without values: it plans pages, and is no state to be written. */
  readonly valuesOmitted?: true;
  /** The end of the chain, of a device whose events have keys. */
  readonly recent?: RecentKeys;
}

/** The head of a device whose state stands in the latest-state table as it is. */
export function durableHead(state: DeviceState): Head {
  return { state, statePage: state.page, basePage: state.page };
}

/** Refused states are more than 400 KB each. */
export const REFUSED_HEADS_MAX = 16;

/** Events that all ends of chains together may hold, some 80 bytes each: those of 3,000 devices with the default window. */
const RECENT_KEYS_MAX = 400_000;

/**
 * Heads of devices that this container moved last: each was durable in the latest-state table when it was put here, or the
 * table had refused it for good. A stale one costs its user one failed put and nothing else. Holds at most `devicesMax`,
 * of which {@link REFUSED_HEADS_MAX} may be refused, and forgets the one longest unused. Beyond `keysMax` it forgets the
 * ends of the chains longest unused, which are read again, and keeps their heads.
 */
export class HeadCache {
  readonly #devicesMax: number;
  readonly #keysMax: number;
  /** Ends of the chains of heads that are held. */
  readonly #recent = new Map<DeviceId, RecentKeys>();
  #keyCount = 0;
  readonly #durable = new Map<DeviceId, Head>();
  readonly #refused = new Map<DeviceId, Head>();

  constructor(devicesMax: number, keysMax = RECENT_KEYS_MAX) {
    this.#devicesMax = devicesMax;
    this.#keysMax = keysMax;
  }

  get deviceCount(): number {
    return this.#durable.size + this.#refused.size;
  }

  /** Hands a head over. It is gone from the cache until it is put back, so that a failure leaves nothing behind. */
  take(deviceId: DeviceId): Head | undefined {
    const head = this.#durable.get(deviceId) ?? this.#refused.get(deviceId);
    this.#durable.delete(deviceId);
    this.#refused.delete(deviceId);
    const recent = this.#takeRecent(deviceId);
    return head === undefined || recent === undefined ? head : { ...head, recent };
  }

  put(known: Head): void {
    const { recent, ...bare } = known;
    const head = recent === undefined ? known : bare;
    const { deviceId } = head.state;
    this.take(deviceId);
    const isRefused = head.statePage < head.state.page;
    const heads = isRefused ? this.#refused : this.#durable;
    heads.set(deviceId, head);
    if (recent !== undefined) this.#putRecent(deviceId, recent);
    if (heads.size <= (isRefused ? Math.min(REFUSED_HEADS_MAX, this.#devicesMax) : this.#devicesMax)) return;
    const oldest = heads.keys().next();
    if (oldest.done) return;
    heads.delete(oldest.value);
    this.#takeRecent(oldest.value);
  }

  #takeRecent(deviceId: DeviceId): RecentKeys | undefined {
    const recent = this.#recent.get(deviceId);
    this.#recent.delete(deviceId);
    this.#keyCount -= recent?.traces.length ?? 0;
    return recent;
  }

  #putRecent(deviceId: DeviceId, recent: RecentKeys): void {
    this.#recent.set(deviceId, recent);
    this.#keyCount += recent.traces.length;
    for (const longestUnused of this.#recent.keys()) {
      if (this.#keyCount <= this.#keysMax) return;
      this.#takeRecent(longestUnused);
    }
  }
}
