import type { DeviceId, EventPage } from '@twinstream/device-model';
import { memoryEventStore } from '@twinstream/event-store';
import { memoryLatestStateTable } from '@twinstream/latest-state';
import { PAGE_WRITING } from '@twinstream/pipeline-settings';
import { runReplay } from '../../../src/replay/run-replay.ts';
import type { Stores } from '../../../src/services.ts';
import { jobOf, type MemoryReplay, memoryReplay, recordedEntries, STREAM } from '../memory-replay.ts';

const { signal } = new AbortController();
const DEVICES = 6;
/** What was recorded of them. */
export const entries = recordedEntries(DEVICES, 60);
const LAYOUT = { ...PAGE_WRITING, pagesPerSnapshot: 2 };

/** What the projector would have stored of these, page after page. */
export async function projected(of: typeof entries): Promise<Stores> {
  const services = memoryReplay({ entries: of, pageWriting: LAYOUT });
  await runReplay(services, jobOf({ target: 'fresh' }), signal);
  return services.fresh;
}

/** Whole stores, less these pages and states. */
export async function damaged(
  whole: Stores,
  isKept: (page: EventPage) => boolean,
  stateOf: (deviceId: DeviceId) => 'kept' | 'old' | 'gone',
): Promise<Stores> {
  const stores = { eventStore: memoryEventStore(), latestState: memoryLatestStateTable() };
  for await (const deviceId of whole.eventStore.deviceIds()) {
    for await (const page of whole.eventStore.pages(deviceId))
      if (isKept(page)) await stores.eventStore.appendPage(page);
    const state = await whole.latestState.read(deviceId);
    const kind = stateOf(deviceId);
    if (state === undefined || kind === 'gone') continue;
    await stores.latestState.write(kind === 'kept' ? state : { ...state, attributes: new Map() });
  }
  return stores;
}

export async function contentOf({ eventStore, latestState }: Stores): Promise<string> {
  const found: unknown[] = [];
  for (let device = 0; device < DEVICES; device += 1) {
    const deviceId = `bus-${device}` as DeviceId;
    found.push(await Array.fromAsync(eventStore.pages(deviceId)), [
      ...((await latestState.read(deviceId))?.attributes ?? []),
    ]);
  }
  return JSON.stringify(found);
}

export async function operatorOf(
  stores: Stores,
  limits: Pick<MemoryReplay, 'heldCharactersMax'> = {},
): Promise<MemoryReplay> {
  const services = memoryReplay({ entries, stores, pageWriting: LAYOUT, ...limits });
  for (const { shardId, sequenceNumber, arrivalTime } of entries) {
    const progress = { shardId, finishedThrough: sequenceNumber, arrivalTime, updatedTime: arrivalTime };
    await services.shardProgress.advance(STREAM, progress);
  }
  return services;
}
