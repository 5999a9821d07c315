import { type DeviceId, isDeviceId } from '@twinstream/device-model';
import type { Stores } from '../services.ts';

/** Told of partition keys that are invalid device ids, and so belong to no device. */
export type OnForeignKey = (table: 'events' | 'device-state', key: string) => void;

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
