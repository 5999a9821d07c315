import type { Item } from '@twinstream/aws/dynamodb';
import { type DeviceId, type DeviceState, deviceId, foldPage, newDevice } from '@twinstream/device-model';
import {
  type AuditableEventStore,
  auditPage,
  auditSnapshot,
  encodePage,
  encodeSnapshot,
  makeSnapshot,
  memoryEventStore,
  PAGE_KEY_MAX,
  PAGE_KEY_MIN,
} from '@twinstream/event-store';
import { writeBatch } from '@twinstream/event-store/contract/chain-writer';
import {
  auditState,
  memoryLatestStateTable,
  type RepairableLatestState,
  stateItem,
} from '@twinstream/latest-state';
import type { Position } from '@twinstream/stream-model';
import { arrivedEvent, SHARDS } from '@twinstream/test-kit';
import type { VerificationStores } from '../src/verify-device.ts';

/** Everything that is stored of one device, as the tables and the archive hold it. */
export interface StoredDevice {
  readonly deviceId: DeviceId;
  /** Items of the table of events, in key order. */
  readonly events: readonly Item[];
  readonly state: Item | undefined;
  /** Positions of the archive's lines. */
  readonly archived: readonly Position[];
}

/** Pages after which a snapshot stands. */
const SNAPSHOT_PAGES: readonly number[] = [2, 4];

/**
 * A device of six pages in two shards, with a snapshot after the second and the fourth: counted and uncounted events, one
 * that came late, a duplicate, a correction, a session that was left, labels, a removed attribute. No attribute of an item
 * that may be there is absent in all of them, but for those that only forgetting brings.
 */
export async function storedDevice(name: string): Promise<StoredDevice> {
  const id = deviceId(name);
  const event = (at: number, fields: Partial<Parameters<typeof arrivedEvent>[0]>) =>
    arrivedEvent({ deviceId: id, at, ...fields });
  const [first, second] = SHARDS;
  const site = { site: 'north', type: 'bus', firmware: '2.4.1' };
  const batches = [
    {
      shard: first,
      events: [
        event(1, { type: 'connected', session: 1, counter: 1, data: site }),
        event(2, { session: 1, counter: 2 }),
      ],
    },
    {
      shard: first,
      events: [
        event(3, { session: 1, counter: 5, data: { speedMph: 3, note: 'x' } }),
        event(4, { session: 1, counter: 5 }),
      ],
    },
    { shard: first, events: [event(5, { session: 1, counter: 3, data: { speedMph: 5 } })] },
    {
      shard: second,
      events: [
        event(6, { session: 2, counter: 1 }),
        event(7, { session: 2, counter: 3, data: { note: null } }),
      ],
    },
    { shard: second, events: [event(8, { correctionId: 'c-1', data: { speedMph: 80 } })] },
    { shard: second, events: [event(9, { session: 2, counter: 4 }), event(10, { data: { speedMph: 10 } })] },
  ];
  const store = memoryEventStore();
  const events: Item[] = [];
  const snapshots: Item[] = [];
  const archived: Position[] = [];
  let state = newDevice(id);
  for (const { shard, events: arrived } of batches) {
    const written = await writeBatch(store, state, shard, arrived);
    state = written.state;
    events.push(...written.pages.map(encodePage));
    archived.push(...arrived.map(({ place }) => ({ shardId: shard, ...place })));
    if (!SNAPSHOT_PAGES.includes(state.page)) continue;
    const snapshot = await makeSnapshot(store, state);
    const item = snapshot === undefined ? undefined : encodeSnapshot(snapshot);
    if (snapshot === undefined || item === undefined) throw new Error('no snapshot');
    await store.putSnapshot(snapshot);
    snapshots.push(item);
  }
  return { deviceId: id, events: [...events, ...snapshots], state: stateItem(state), archived };
}

/** The fold of the first `count` pages of an undamaged device. */
export function stateAfterPages({ deviceId: id, events }: StoredDevice, pageCount: number): DeviceState {
  let state = newDevice(id);
  for (const item of events.slice(0, pageCount)) {
    const audited = auditPage(item);
    if (audited.kind !== 'page') throw new Error(`not a page: ${item.key?.S}`);
    state = foldPage(state, audited.page);
  }
  return state;
}

/** What verification reads, of items in memory. */
export function storesOf(devices: readonly StoredDevice[]): VerificationStores {
  const byId = new Map(devices.map((device) => [device.deviceId, device]));
  const keyOf = (item: Item) => item.key?.S ?? '';
  const isAmongPages = (item: Item) => keyOf(item) >= PAGE_KEY_MIN && keyOf(item) <= PAGE_KEY_MAX;
  const itemsOf = (id: DeviceId) =>
    [...(byId.get(id)?.events ?? [])].sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
  const eventStore: Pick<AuditableEventStore, 'auditPages' | 'auditSnapshots'> = {
    auditPages: async function* (id) {
      for (const item of itemsOf(id).filter(isAmongPages)) yield auditPage(item);
    },
    auditSnapshots: async function* (id, { foldVersion }) {
      for (const item of itemsOf(id)) {
        const audited = isAmongPages(item) ? undefined : auditSnapshot(item, foldVersion);
        if (audited !== undefined) yield audited;
      }
    },
  };
  const latestState: Pick<RepairableLatestState, 'audit' | 'sizeOf'> = {
    ...memoryLatestStateTable(),
    audit: async (id) => auditState(byId.get(id)?.state),
  };
  return { eventStore, latestState };
}
