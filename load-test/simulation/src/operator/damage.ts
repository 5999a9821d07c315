import { type DeviceId, type DeviceState, FOLD_VERSION } from '@twinstream/device-model';
import {
  type AuditableEventStore,
  type EventStore,
  memoryEventStore,
  type Snapshot,
} from '@twinstream/event-store';
import { memoryLatestStateTable, type RepairableLatestState } from '@twinstream/latest-state';

/** Tables whose items can be removed without the pipeline's knowledge. */
export interface DamageableTables {
  readonly eventStore: AuditableEventStore;
  readonly latestState: RepairableLatestState;
  deletePages(deviceId: DeviceId, isGone: (page: number) => boolean): Promise<void>;
  /** Takes snapshots away, as the runbook says of those that are not the fold. */
  deleteSnapshots(deviceId: DeviceId, isGone: (snapshot: Snapshot) => boolean): Promise<void>;
  /** Puts this state in the place of the item, whatever stands there; undefined takes it away. */
  alterState(deviceId: DeviceId, state: DeviceState | undefined): Promise<void>;
  /** Takes away the pages, the snapshots and the state of a device. */
  lose(deviceId: DeviceId): Promise<void>;
}

const everything = () => true;
const nothing = () => false;

/** Tables in memory. Damage refills them without the deleted items. */
export function damageableTables(): DamageableTables {
  let eventStore = memoryEventStore();
  let latestState = memoryLatestStateTable();
  const keep = async (
    deviceId: DeviceId,
    isGone: (page: number) => boolean,
    isSnapshotGone: (snapshot: Snapshot) => boolean,
  ) => {
    const kept = memoryEventStore();
    for await (const id of eventStore.deviceIds()) {
      const isDamaged = id === deviceId;
      for await (const page of eventStore.pages(id)) {
        if (!isDamaged || !isGone(page.page)) await kept.appendPage(page);
      }
      for (const snapshot of await snapshotsOf(eventStore, id)) {
        if (!isDamaged || !isSnapshotGone(snapshot)) await kept.putSnapshot(snapshot);
      }
    }
    eventStore = kept;
  };
  const alterState = async (deviceId: DeviceId, state: DeviceState | undefined) => {
    const kept = memoryLatestStateTable();
    const { devices } = await latestState.list({ limit: 1_000 });
    for (const one of devices) if (one.deviceId !== deviceId) await kept.write(one);
    if (state !== undefined) await kept.write(state);
    latestState = kept;
  };
  return {
    eventStore: {
      appendPage: (...given) => eventStore.appendPage(...given),
      pages: (...given) => eventStore.pages(...given),
      pageSummaries: (...given) => eventStore.pageSummaries(...given),
      lastKeyBelow: (...given) => eventStore.lastKeyBelow(...given),
      putSnapshot: (...given) => eventStore.putSnapshot(...given),
      latestSnapshot: (...given) => eventStore.latestSnapshot(...given),
      deviceIds: (...given) => eventStore.deviceIds(...given),
      auditPages: (...given) => eventStore.auditPages(...given),
      auditSnapshots: (...given) => eventStore.auditSnapshots(...given),
      replacePage: (...given) => eventStore.replacePage(...given),
      partitionKeys: (...given) => eventStore.partitionKeys(...given),
    },
    latestState: {
      read: (...given) => latestState.read(...given),
      write: (...given) => latestState.write(...given),
      replace: (...given) => latestState.replace(...given),
      list: (...given) => latestState.list(...given),
      audit: (...given) => latestState.audit(...given),
      sizeOf: (...given) => latestState.sizeOf(...given),
      partitionKeys: (...given) => latestState.partitionKeys(...given),
    },
    deletePages: (deviceId, isGone) => keep(deviceId, isGone, nothing),
    deleteSnapshots: (deviceId, isGone) => keep(deviceId, nothing, isGone),
    alterState,
    lose: async (deviceId) => {
      await keep(deviceId, everything, everything);
      await alterState(deviceId, undefined);
    },
  };
}

async function snapshotsOf(eventStore: EventStore, deviceId: DeviceId): Promise<readonly Snapshot[]> {
  const snapshots: Snapshot[] = [];
  for (let pageAtMost = Number.MAX_SAFE_INTEGER; ; ) {
    const snapshot = await eventStore.latestSnapshot(deviceId, { foldVersion: FOLD_VERSION, pageAtMost });
    if (snapshot === undefined) return snapshots;
    snapshots.push(snapshot);
    pageAtMost = snapshot.state.page - 1;
  }
}
