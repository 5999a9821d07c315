import { refusal } from '@twinstream/command-line';
import { type DeviceId, FOLD_VERSION, isDeviceId } from '@twinstream/device-model';
import type { CodedError } from '@twinstream/runtime';
import type { Stores } from './services.ts';

/** What is stored of a device: its state, whatever else; pages without a state; neither, but other items; or nothing. Items that cannot be read count. */
type StoredOfDevice = 'state' | 'pages' | 'other-items' | 'nothing';

const NAMED_MAX = 10;

export async function storedOf(
  { eventStore, latestState }: Stores,
  deviceId: DeviceId,
  signal: AbortSignal,
): Promise<StoredOfDevice> {
  if ((await latestState.audit(deviceId, signal)).kind !== 'none') return 'state';
  let others = 0;
  for await (const { kind } of eventStore.auditPages(deviceId, { signal })) {
    if (kind !== 'foreign') return 'pages';
    others += 1;
  }
  const beside = eventStore.auditSnapshots(deviceId, { foldVersion: FOLD_VERSION, signal });
  if (others === 0) for await (const _ of beside) return 'other-items';
  return others > 0 ? 'other-items' : 'nothing';
}

/** Those of the devices of which nothing is stored. */
export async function notStoredAmong(
  stores: Stores,
  deviceIds: readonly DeviceId[],
  signal: AbortSignal,
): Promise<readonly DeviceId[]> {
  const unknown: DeviceId[] = [];
  for (const deviceId of deviceIds) {
    if ((await storedOf(stores, deviceId, signal)) === 'nothing') unknown.push(deviceId);
  }
  return unknown;
}

/** Throws `UNKNOWN_DEVICE` where nothing is stored of some of them. */
export async function refuseUnknown(
  stores: Stores,
  deviceIds: readonly DeviceId[],
  signal: AbortSignal,
): Promise<void> {
  const unknown = await notStoredAmong(stores, deviceIds, signal);
  if (unknown.length > 0) throw unknownDevices(unknown);
}

/** The refusal of devices that are not known; `besides` says where else they are not. */
export function unknownDevices(unknown: readonly DeviceId[], besides?: string): CodedError {
  const others = unknown.length > NAMED_MAX ? ' and others' : '';
  const named = `${unknown.slice(0, NAMED_MAX).join(', ')}${others}`;
  return refusal(
    'UNKNOWN_DEVICE',
    `no events are stored of ${named}${besides === undefined ? '' : `, ${besides}`}`,
  );
}

/** Told of partition keys that are invalid device ids, and so belong to no device. */
type OnForeignKey = (table: 'events' | 'device-state', key: string) => void;

/**
 * The devices that are named, or a uniform random sample, or all: those with pages, then those that have a state alone.
 * Holds their ids in memory, some 100 bytes each.
 */
export async function* chosenDevices(
  stores: Stores,
  named: readonly DeviceId[] | undefined,
  sample: number | undefined,
  signal: AbortSignal,
  { onForeignKey, random = Math.random }: { onForeignKey?: OnForeignKey; random?: () => number } = {},
): AsyncGenerator<DeviceId> {
  if (named !== undefined) {
    yield* named;
    return;
  }
  if (sample !== undefined) {
    yield* await drawn(allDevices(stores, signal, onForeignKey), sample, random);
    return;
  }
  yield* allDevices(stores, signal, onForeignKey);
}

/** Reads keys alone: an item that cannot be read hides no device. */
export async function* allDevices(
  { eventStore, latestState }: Stores,
  signal: AbortSignal,
  onForeignKey?: OnForeignKey,
): AsyncGenerator<DeviceId> {
  const met = new Set<DeviceId>();
  for (const [table, keys] of [
    ['events', eventStore.partitionKeys(signal)],
    ['device-state', latestState.partitionKeys(signal)],
  ] as const) {
    for await (const key of keys) {
      if (!isDeviceId(key)) onForeignKey?.(table, key);
      else if (!met.has(key)) {
        met.add(key);
        yield key;
      }
    }
  }
}

/** Reservoir sampling: Vitter, "Random sampling with a reservoir", 1985, algorithm R. */
async function drawn(
  devices: AsyncIterable<DeviceId>,
  count: number,
  random: () => number,
): Promise<readonly DeviceId[]> {
  const reservoir: DeviceId[] = [];
  let met = 0;
  for await (const deviceId of devices) {
    met += 1;
    if (reservoir.length < count) {
      reservoir.push(deviceId);
      continue;
    }
    const place = Math.floor(random() * met);
    if (place < count) reservoir[place] = deviceId;
  }
  return reservoir;
}

/** Devices that are worked on concurrently: each waits for a few small reads. */
export const DEVICES_AT_ONCE = 64;

/** Works on every device, a limited number concurrently. Rejects with the first failure, after the others have ended. */
export async function forEachDevice(
  devices: AsyncIterable<DeviceId>,
  atOnce: number,
  signal: AbortSignal,
  work: (deviceId: DeviceId) => Promise<void>,
): Promise<void> {
  const iterator = devices[Symbol.asyncIterator]();
  let hasFailed = false;
  const worker = async () => {
    while (!hasFailed) {
      signal.throwIfAborted();
      const next = await iterator.next();
      if (next.done === true) return;
      await work(next.value);
    }
  };
  const workers = Array.from({ length: atOnce }, () =>
    worker().catch((error: unknown) => {
      hasFailed = true;
      throw error;
    }),
  );
  const results = await Promise.allSettled(workers);
  await iterator.return?.();
  const failure = results.find((result) => result.status === 'rejected');
  if (failure !== undefined) throw failure.reason;
}
