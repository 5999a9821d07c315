import type { DeviceId } from '@twinstream/device-model';
import type { Clock } from '@twinstream/runtime';
import type { Difference, VerifyDeviceOptions } from './difference.ts';
import { type DeviceVerification, type VerificationStores, verifyDevice } from './verify-device.ts';

export interface VerifyDevicesOptions {
  readonly clock: Clock;
  /** Devices that are verified at the same time. Default 16. */
  readonly devicesAtOnce?: number;
  /** Told of each event of a device whose verification stands; of one device at a time its events in chain order. */
  readonly onEvent?: (
    deviceId: DeviceId,
    event: Parameters<NonNullable<VerifyDeviceOptions['onEvent']>>[0],
  ) => void;
  /** Told of each device as it is done. */
  readonly onDevice?: (deviceId: DeviceId, verification: DeviceVerification) => void;
  readonly signal?: AbortSignal | undefined;
}

const DEVICES_AT_ONCE = 16;
/** Differences of a device that changes while it is looked at are looked at again so often. */
const LOOKS_MAX = 4;
/** Time between two looks: the live consumer writes a state soon after its page. */
const BETWEEN_LOOKS_MS = 400;

/** Verifies devices concurrently, and returns the differences that persist. Rejects when a store cannot be read. */
export async function verifyDevices(
  stores: VerificationStores,
  deviceIds: AsyncIterable<DeviceId> | Iterable<DeviceId>,
  options: VerifyDevicesOptions,
): Promise<{ readonly devices: number; readonly differences: Difference[] }> {
  const { devicesAtOnce = DEVICES_AT_ONCE, signal } = options;
  const differences: Difference[] = [];
  let devices = 0;
  const rest = toAsync(deviceIds)[Symbol.asyncIterator]();
  const work = async (): Promise<void> => {
    for (let next = await rest.next(); !next.done; next = await rest.next()) {
      signal?.throwIfAborted();
      const verification = await settledVerification(stores, next.value, options);
      devices += 1;
      for (const difference of verification.differences) differences.push(difference);
      options.onDevice?.(next.value, verification);
    }
  };
  await Promise.all(Array.from({ length: devicesAtOnce }, work));
  return { devices, differences };
}

/** What is wrong and stays wrong: a chain that grows, or a state that moves, between two looks is looked at again. */
async function settledVerification(
  stores: VerificationStores,
  deviceId: DeviceId,
  { clock, onEvent, signal }: VerifyDevicesOptions,
): Promise<DeviceVerification> {
  let before: DeviceVerification | undefined;
  for (let look = 1; ; look += 1) {
    const isFirst = before === undefined;
    const verification = await verifyDevice(stores, deviceId, {
      signal,
      ...(onEvent === undefined || !isFirst ? {} : { onEvent: (event) => onEvent(deviceId, event) }),
    });
    const { differences } = verification;
    const stays =
      before !== undefined &&
      before.pageCount === verification.pageCount &&
      before.livePage === verification.livePage &&
      before.differences.length === differences.length;
    if (differences.length === 0 || stays || look === LOOKS_MAX) return verification;
    before = verification;
    await clock.sleep(BETWEEN_LOOKS_MS, signal);
  }
}

async function* toAsync<Item>(items: AsyncIterable<Item> | Iterable<Item>): AsyncGenerator<Item> {
  yield* items;
}
