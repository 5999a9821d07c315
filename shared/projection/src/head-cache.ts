import type { DeviceId, DeviceState } from '@twinstream/device-model';

/** Where a device's chain ends, and what of it can be read again from elsewhere. */
export interface Head {
  readonly state: DeviceState;
  /** The last page at which the state item is known to be: below the state's own where the table refuses the state. */
  readonly statePage: number;
  /** Page of the state item or of the snapshot from which another container goes on. */
  readonly basePage: number;
  /** Present where the state was read on from a snapshot without values: it plans pages, and is no state to be written. */
  readonly valuesOmitted?: true;
}

/** The head of a device whose state stands in the latest-state table as it is. */
export function durableHead(state: DeviceState): Head {
  return { state, statePage: state.page, basePage: state.page };
}

/** Refused states are more than 400 KB each. */
export const REFUSED_HEADS_MAX = 16;

/**
 * Heads of devices that this container moved last: each was durable in the latest-state table when it was put here, or the
 * table had refused it for good. A stale one costs its user one failed put and nothing else. Holds at most `devicesMax`,
 * of which {@link REFUSED_HEADS_MAX} may be refused, and forgets the one longest unused.
 */
export class HeadCache {
  readonly #devicesMax: number;
  readonly #durable = new Map<DeviceId, Head>();
  readonly #refused = new Map<DeviceId, Head>();

  constructor(devicesMax: number) {
    this.#devicesMax = devicesMax;
  }

  get deviceCount(): number {
    return this.#durable.size + this.#refused.size;
  }

  /** Hands a head over. It is gone from the cache until it is put back, so that a failure leaves nothing behind. */
  take(deviceId: DeviceId): Head | undefined {
    const head = this.#durable.get(deviceId) ?? this.#refused.get(deviceId);
    this.#durable.delete(deviceId);
    this.#refused.delete(deviceId);
    return head;
  }

  put(head: Head): void {
    const { deviceId } = head.state;
    this.take(deviceId);
    const isRefused = head.statePage < head.state.page;
    const heads = isRefused ? this.#refused : this.#durable;
    heads.set(deviceId, head);
    if (heads.size <= (isRefused ? Math.min(REFUSED_HEADS_MAX, this.#devicesMax) : this.#devicesMax)) return;
    const oldest = heads.keys().next();
    if (!oldest.done) heads.delete(oldest.value);
  }
}
