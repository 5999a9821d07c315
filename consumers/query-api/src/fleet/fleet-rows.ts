import { isDeepStrictEqual } from 'node:util';
import type { Liveness } from '@twinstream/api-contract';
import type { DeviceId, DeviceState } from '@twinstream/device-model';
import { type FleetRow, fleetRow } from './fleet-row.ts';

/** A device as it is shown, before or after a change. */
export interface ShownDevice {
  readonly row: FleetRow;
  readonly liveness: Liveness;
}

/** A change of one device. Without `after` it has left the table. */
export interface FleetChange {
  readonly deviceId: DeviceId;
  readonly before?: ShownDevice;
  readonly after?: ShownDevice;
}

interface HeldRow extends ShownDevice {
  /** When the reading began that brought it, milliseconds since 1970. */
  readTime: number;
  liveness: Liveness;
}

/** The rows of the fleet, each as new as anything that was read of it. */
export interface FleetRows {
  readonly size: number;
  /** Rises with every change of any row or liveness. */
  readonly generation: number;
  find(deviceId: DeviceId): FleetRow | undefined;
  /** As they were told last. */
  shown(): Iterable<ShownDevice>;
  /** By rising id. The same array as long as the generation is. */
  inOrder(): readonly FleetRow[];
  /** Takes what a read that began at `readTime` has found, unless something newer stands there. */
  put(state: DeviceState, readTime: number, timeMs: number): FleetChange | undefined;
  /** Drops what a reading of the whole table, begun at `readTime`, has not found. */
  dropUnlessIn(found: ReadonlySet<DeviceId>, readTime: number): readonly FleetChange[];
  /** Devices whose liveness is another than was told last. */
  ageTo(timeMs: number): readonly FleetChange[];
}

/** Liveness of a row at a time, milliseconds since 1970. */
export type LivenessOf = (row: FleetRow, timeMs: number) => Liveness;

export function createFleetRows(livenessOf: LivenessOf): FleetRows {
  const held = new Map<DeviceId, HeldRow>();
  let generation = 0;
  let ordered: { readonly generation: number; readonly rows: readonly FleetRow[] } | undefined;
  let sortedIds: readonly DeviceId[] | undefined;

  return {
    get size() {
      return held.size;
    },
    get generation() {
      return generation;
    },
    find: (deviceId) => held.get(deviceId)?.row,
    shown: () => held.values(),
    inOrder: () => {
      if (ordered?.generation === generation) return ordered.rows;
      sortedIds ??= [...held.keys()].sort();
      const rows: FleetRow[] = [];
      for (const deviceId of sortedIds) {
        const row = held.get(deviceId)?.row;
        if (row !== undefined) rows.push(row);
      }
      ordered = { generation, rows };
      return rows;
    },
    put: (state, readTime, timeMs) => {
      const { deviceId } = state;
      const known = held.get(deviceId);
      const found = fleetRow(state);
      if (known !== undefined) {
        if (isOlder(state.page, readTime, known)) return undefined;
        if (isSame(known.row, found)) {
          known.readTime = Math.max(known.readTime, readTime);
          return undefined;
        }
      } else sortedIds = undefined;
      // The stream tells nobody of what changed without it, such as a repair.
      const isAltered = known !== undefined && isDeepStrictEqual(known.row.marks, found.marks);
      const row = isAltered ? { ...found, alteredTime: timeMs } : found;
      const after = { row, liveness: livenessOf(row, timeMs) };
      held.set(deviceId, { ...after, readTime });
      generation += 1;
      return known === undefined
        ? { deviceId, after }
        : { deviceId, before: { row: known.row, liveness: known.liveness }, after };
    },
    dropUnlessIn: (found, readTime) => {
      const changes: FleetChange[] = [];
      for (const [deviceId, { row, liveness, readTime: rowTime }] of held) {
        if (found.has(deviceId) || rowTime > readTime) continue;
        held.delete(deviceId);
        changes.push({ deviceId, before: { row, liveness } });
      }
      if (changes.length > 0) {
        sortedIds = undefined;
        generation += 1;
      }
      return changes;
    },
    ageTo: (timeMs) => {
      const changes: FleetChange[] = [];
      for (const [deviceId, device] of held) {
        const liveness = livenessOf(device.row, timeMs);
        if (liveness === device.liveness) continue;
        const { row } = device;
        changes.push({ deviceId, before: { row, liveness: device.liveness }, after: { row, liveness } });
        device.liveness = liveness;
      }
      if (changes.length > 0) generation += 1;
      return changes;
    },
  };
}

/** Whether a read says less than the held row does: pages only rise, but for a repair or another table, which later reads show. */
function isOlder(page: number, readTime: number, { row, readTime: heldTime }: HeldRow): boolean {
  if (page > row.page) return false;
  return page === row.page ? readTime < heldTime : readTime <= heldTime;
}

/** By content: a repair may correct what stands at the same page. */
function isSame({ alteredTime: _, ...held }: FleetRow, found: FleetRow): boolean {
  return held.page === found.page && isDeepStrictEqual(held, found);
}
