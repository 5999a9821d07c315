import type { DeviceId } from '@twinstream/device-model';
import type { LatestStateTable } from '@twinstream/latest-state';
import type { Stores } from '../services.ts';

const LIST_LIMIT = 1_000;

/**
 * The devices that are named, or so many drawn evenly, or all: those with pages, then those that have a state alone.
 * Holds their ids in memory, some 100 bytes each.
 */
export async function* chosenDevices(
  stores: Stores,
  named: readonly DeviceId[] | undefined,
  sample: number | undefined,
  signal: AbortSignal,
  random: () => number = Math.random,
): AsyncGenerator<DeviceId> {
  if (named !== undefined) {
    yield* named;
    return;
  }
  if (sample !== undefined) {
    yield* await drawn(allDevices(stores, signal), sample, random);
    return;
  }
  yield* allDevices(stores, signal);
}

export async function* allDevices(
  { eventStore, latestState }: Stores,
  signal: AbortSignal,
): AsyncGenerator<DeviceId> {
  const met = new Set<DeviceId>();
  for await (const deviceId of eventStore.deviceIds(signal)) {
    met.add(deviceId);
    yield deviceId;
  }
  for await (const deviceId of stateDevices(latestState, signal)) {
    if (met.has(deviceId)) continue;
    met.add(deviceId);
    yield deviceId;
  }
}

async function* stateDevices(
  latestState: Pick<LatestStateTable, 'list'>,
  signal: AbortSignal,
): AsyncGenerator<DeviceId> {
  let cursor: string | undefined;
  do {
    const answer = await latestState.list({
      limit: LIST_LIMIT,
      signal,
      ...(cursor === undefined ? {} : { cursor }),
    });
    for (const { deviceId } of answer.devices) yield deviceId;
    cursor = answer.cursor;
  } while (cursor !== undefined);
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
