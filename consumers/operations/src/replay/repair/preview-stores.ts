import type { DeviceId, DeviceState, EventPage } from '@twinstream/device-model';
import {
  ARRIVAL_TIME_MAX,
  type AuditableEventStore,
  type AuditedPage,
  comparePageKeys,
  memoryEventStore,
  type PageKey,
  type PageRange,
} from '@twinstream/event-store';
import type { RepairableLatestState } from '@twinstream/latest-state';
import { CodedError } from '@twinstream/runtime';
import type { Stores } from '../../services.ts';

/** Text of events that a preview holds at most: what a repair would write. */
const PREVIEW_CHARACTERS_MAX = 512 * 1_024 * 1_024;

/**
 * Stores that read through to those in use and keep what is written to themselves, so that a preview is the repair itself
 * and has its numbers. What is written is held in memory: more than {@link PREVIEW_CHARACTERS_MAX} characters throw
 * `REPAIR_TOO_LARGE`.
 */
export function previewStores(
  { eventStore, latestState }: Stores,
  charactersMax = PREVIEW_CHARACTERS_MAX,
): Stores {
  return {
    eventStore: previewEventStore(eventStore, charactersMax),
    latestState: previewLatestState(latestState),
  };
}

function previewEventStore(under: AuditableEventStore, charactersMax: number): AuditableEventStore {
  const written = memoryEventStore();
  /** Devices of which an item was replaced: what stands there in truth may not be readable. */
  const replaced = new Set<DeviceId>();
  let characters = 0;
  const hold = ({ events }: EventPage) => {
    for (const { text } of events) characters += text.length;
    if (characters <= charactersMax) return;
    throw new CodedError(
      'REPAIR_TOO_LARGE',
      'more would be written than a preview can hold: preview by --device, or a shorter window',
    );
  };
  /** The chain of a device as it would be, in memory. */
  const chainOf = async (deviceId: DeviceId, range: PageRange | undefined) => {
    const chain = memoryEventStore();
    for await (const item of audited(under, written, deviceId, range?.signal)) {
      if (item.kind === 'page') await chain.appendPage(item.page);
      else if (item.kind === 'damaged') throw new CodedError(item.code, `page of ${deviceId}: ${item.fault}`);
    }
    return chain;
  };
  return {
    ...under,
    appendPage: async (page, signal) => {
      const key = { arrivalMaxBefore: page.arrivalMaxBefore, page: page.page };
      const range = { from: key, to: key, consistent: true, signal };
      for await (const existing of under.pages(page.deviceId, range))
        return { outcome: 'conflict', existing };
      hold(page);
      return written.appendPage(page, signal);
    },
    replacePage: async (page, signal) => {
      hold(page);
      for await (const item of under.auditPages(page.deviceId, { signal })) {
        const key = keyOf(item);
        if (key === undefined || comparePageKeys(key, page) !== 0) continue;
        replaced.add(page.deviceId);
        const { outcome } = await written.appendPage(page, signal);
        return outcome === 'appended' ? 'replaced' : written.replacePage(page, signal);
      }
      return written.replacePage(page, signal);
    },
    auditPages: (deviceId, options) => audited(under, written, deviceId, options?.signal),
    auditSnapshots: async function* (deviceId, options) {
      yield* under.auditSnapshots(deviceId, options);
      yield* written.auditSnapshots(deviceId, options);
    },
    partitionKeys: async function* (signal) {
      const met = new Set<string>();
      for await (const key of under.partitionKeys(signal)) {
        met.add(key);
        yield key;
      }
      for await (const key of written.partitionKeys(signal)) if (!met.has(key)) yield key;
    },
    pages: async function* (deviceId, range) {
      if (replaced.has(deviceId)) yield* (await chainOf(deviceId, range)).pages(deviceId, range);
      else yield* merged(under.pages(deviceId, range), written.pages(deviceId, range), range);
    },
    pageSummaries: async function* (deviceId, range) {
      if (replaced.has(deviceId)) yield* (await chainOf(deviceId, range)).pageSummaries(deviceId, range);
      else yield* merged(under.pageSummaries(deviceId, range), written.pageSummaries(deviceId, range), range);
    },
    lastKeyBelow: async (deviceId, arrivalMaxBefore, signal) => {
      const [stored, added] = await Promise.all([
        under.lastKeyBelow(deviceId, arrivalMaxBefore, signal),
        written.lastKeyBelow(deviceId, arrivalMaxBefore, signal),
      ]);
      if (stored === undefined || added === undefined) return stored ?? added;
      return comparePageKeys(stored, added) > 0 ? stored : added;
    },
    putSnapshot: (snapshot, signal) => written.putSnapshot(snapshot, signal),
    latestSnapshot: async (deviceId, query) => {
      const [stored, added] = await Promise.all([
        under.latestSnapshot(deviceId, query),
        written.latestSnapshot(deviceId, query),
      ]);
      if (stored === undefined || added === undefined) return stored ?? added;
      return stored.state.page > added.state.page ? stored : added;
    },
    deviceIds: async function* (signal) {
      yield* under.deviceIds(signal);
      for await (const deviceId of written.deviceIds(signal)) {
        if ((await under.lastKeyBelow(deviceId, ARRIVAL_TIME_MAX, signal)) === undefined) yield deviceId;
      }
    },
  };
}

function keyOf(item: AuditedPage): PageKey | undefined {
  if (item.kind === 'foreign') return undefined;
  return item.kind === 'page' ? item.page : item.key;
}

/** What stands in the place of pages, with what was written in its place or between. */
async function* audited(
  under: AuditableEventStore,
  written: AuditableEventStore,
  deviceId: DeviceId,
  signal: AbortSignal | undefined,
): AsyncGenerator<AuditedPage> {
  const own = await Array.fromAsync(written.auditPages(deviceId, { signal }));
  for await (const item of under.auditPages(deviceId, { signal })) {
    const key = keyOf(item);
    let isReplaced = false;
    for (let next = own[0]; key !== undefined && next !== undefined; next = own[0]) {
      const order = comparePageKeys(keyOf(next) ?? key, key);
      if (order > 0) break;
      own.shift();
      yield next;
      isReplaced = order === 0;
    }
    if (!isReplaced) yield item;
  }
  yield* own;
}

/** Two readings of one range as one, in the order of the range. */
async function* merged<Page extends PageKey | EventPage>(
  one: AsyncIterable<Page>,
  other: AsyncIterable<Page>,
  range: PageRange | undefined,
): AsyncGenerator<Page> {
  const sign = range?.order === 'descending' ? -1 : 1;
  const [left, right] = [one[Symbol.asyncIterator](), other[Symbol.asyncIterator]()];
  try {
    let [a, b] = [await left.next(), await right.next()];
    while (!a.done || !b.done) {
      if (!a.done && (b.done || comparePageKeys(a.value, b.value) * sign <= 0)) {
        yield a.value;
        a = await left.next();
      } else if (!b.done) {
        yield b.value;
        b = await right.next();
      }
    }
  } finally {
    await left.return?.();
    await right.return?.();
  }
}

function previewLatestState(under: RepairableLatestState): RepairableLatestState {
  const written = new Map<DeviceId, DeviceState>();
  const read: RepairableLatestState['read'] = async (deviceId, options) =>
    written.get(deviceId) ?? (await under.read(deviceId, options));
  return {
    ...under,
    read,
    audit: async (deviceId, signal) => {
      const state = written.get(deviceId);
      return state === undefined ? under.audit(deviceId, signal) : { kind: 'state', state, faults: [] };
    },
    partitionKeys: async function* (signal) {
      const met = new Set<string>();
      for await (const key of under.partitionKeys(signal)) {
        met.add(key);
        yield key;
      }
      for (const key of written.keys()) if (!met.has(key)) yield key;
    },
    write: async (state, signal) => {
      const existing = await read(state.deviceId, { signal });
      if (existing !== undefined && existing.page >= state.page) return { outcome: 'superseded' };
      written.set(state.deviceId, state);
      return { outcome: 'written' };
    },
    replace: async (state, observed, signal) => {
      if (observed !== 'damaged') {
        const found = (await read(state.deviceId, { signal }))?.page ?? 'none';
        if (observed !== found) return 'changed';
      }
      written.set(state.deviceId, state);
      return 'replaced';
    },
    list: async (query) => {
      const { devices, ...rest } = await under.list(query);
      return { ...rest, devices: devices.map((state) => written.get(state.deviceId) ?? state) };
    },
  };
}
