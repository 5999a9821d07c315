import type { DeviceId, DeviceState } from '@twinstream/device-model';

/**
 * States of devices that this container wrote last: each was durable in the latest-state table when it was put here. A
 * stale one costs its user one failed put and nothing else. Holds at most `devicesMax`, and forgets the one longest unused.
 */
export class HeadCache {
  readonly #devicesMax: number;
  readonly #heads = new Map<DeviceId, DeviceState>();

  constructor(devicesMax: number) {
    this.#devicesMax = devicesMax;
  }

  get deviceCount(): number {
    return this.#heads.size;
  }

  /** Hands a state over. It is gone from the cache until it is put back, so that a failure leaves nothing behind. */
  take(deviceId: DeviceId): DeviceState | undefined {
    const head = this.#heads.get(deviceId);
    this.#heads.delete(deviceId);
    return head;
  }

  put(head: DeviceState): void {
    this.#heads.delete(head.deviceId);
    this.#heads.set(head.deviceId, head);
    if (this.#heads.size <= this.#devicesMax) return;
    const oldest = this.#heads.keys().next();
    if (!oldest.done) this.#heads.delete(oldest.value);
  }
}
