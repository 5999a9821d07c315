import { isDeepStrictEqual } from 'node:util';
import { LIVENESS, type Liveness } from '@twinstream/api-contract';
import type { DeviceId, DeviceState } from '@twinstream/device-model';
import {
  ANNOTATION_BITS,
  annotationBits,
  type DeviceAnnotations,
  NOTE,
} from '@twinstream/table-generation/annotations';
import type { LivenessPolicy } from '../liveness.ts';
import { createFleetColumns, type FleetColumns } from './columns/fleet-columns.ts';
import { livenessColumn, type ProcessedOf } from './columns/fleet-scan.ts';
import { createIdOrder } from './columns/id-order.ts';
import type { SavedRow } from './columns/saved-row.ts';
import { type FleetRow, fleetRow } from './fleet-row.ts';

/** A device as it is shown, before or after a change. */
export interface ShownDevice {
  readonly row: FleetRow;
  readonly liveness: Liveness;
  /** Bits of `NOTE`: what operators said of it, as far as it holds. */
  readonly notes: number;
}

/** A change of one device. Without `after` it has left the table. */
export interface FleetChange {
  readonly deviceId: DeviceId;
  readonly before?: ShownDevice;
  readonly after?: ShownDevice;
}

/** A reading of the whole table on its way. */
export interface TableReading {
  /** Takes what the reading has found, unless something newer stands there. */
  put(state: DeviceState, timeMs: number): FleetChange | undefined;
  /** To be called at its end: drops what it has not found, unless it was read since it began. */
  dropRest(): readonly FleetChange[];
}

/** The rows of the fleet, each as new as anything that was read of it. */
export interface FleetRows {
  readonly columns: FleetColumns;
  find(deviceId: DeviceId): FleetRow | undefined;
  /** As it was told last. */
  shown(deviceId: DeviceId): ShownDevice | undefined;
  /** Slots by rising id. The same array as long as no device comes or goes. */
  inOrder(): Uint32Array;
  /** The place of each slot in that order, by slot. */
  ranks(): Uint32Array;
  /** Takes what a read that began at `readTime` has found, unless something newer stands there. */
  put(state: DeviceState, readTime: number, timeMs: number): FleetChange | undefined;
  /** Takes rows that were saved, unless their devices are there. Their liveness is told by the next `ageTo`. */
  restore(saved: readonly SavedRow[]): void;
  /** @param readTime when it begins, milliseconds since 1970 */
  beginReading(readTime: number): TableReading;
  /** Takes what operators said of devices in the place of what was known before. Returns what that changes. */
  annotate(annotations: Annotations, timeMs: number): readonly FleetChange[];
  /** Bits of `NOTE`. */
  notesOf(deviceId: DeviceId): number;
  annotationsOf(deviceId: DeviceId): DeviceAnnotations | undefined;
  /**
   * Devices whose liveness, or whether their gaps are too old to be trouble, is another than was told last, up to `changesMax`; the
   * next call goes on. Where it is undefined nobody
   * hears of them: all are taken, and none is returned.
   */
  ageTo(timeMs: number, changesMax: number | undefined): readonly FleetChange[];
}

export interface FleetRowsOptions {
  readonly liveness: LivenessPolicy;
  /** Of a row at a time, milliseconds since 1970. */
  readonly livenessOf: (row: FleetRow, timeMs: number) => Liveness;
  readonly processedOf: ProcessedOf;
  /** Gaps older than this are no longer trouble, in milliseconds. Default: they always are. */
  readonly gapsAgeOutMs?: number | undefined;
}

/** What operators said of devices. */
export type Annotations = ReadonlyMap<DeviceId, DeviceAnnotations>;

export function createFleetRows(options: FleetRowsOptions): FleetRows {
  const { liveness, livenessOf, processedOf, gapsAgeOutMs = Number.POSITIVE_INFINITY } = options;
  let annotations: Annotations = new Map();
  const columns = createFleetColumns(liveness);
  const order = createIdOrder(columns.idOf);

  function presentSlot(deviceId: DeviceId): number | undefined {
    const slot = columns.slotOf(deviceId);
    return slot !== undefined && columns.isPresent(slot) ? slot : undefined;
  }

  function shownAt(slot: number): ShownDevice {
    const notes = columns.bytes.notes[slot] ?? 0;
    return { row: columns.rowAt(slot), liveness: columns.livenessOf(slot), notes };
  }

  function annotationBitsAt(slot: number): number {
    const found = annotations.size === 0 ? undefined : annotations.get(columns.idOf(slot));
    if (found === undefined) return 0;
    const { events, late, gaps, lastArrivalTime } = columns.numbers;
    const arrivalTime = lastArrivalTime[slot] ?? Number.NaN;
    return annotationBits(found, {
      lastArrivalTime: Number.isNaN(arrivalTime) ? undefined : arrivalTime,
      counts: { events: events[slot] ?? 0, late: late[slot] ?? 0, gaps: gaps[slot] ?? 0 },
    });
  }

  function agedBitAt(slot: number, timeMs: number): number {
    return timeMs - (columns.numbers.gapsTime[slot] ?? Number.NaN) > gapsAgeOutMs ? NOTE.gapsAgedOut : 0;
  }

  function putRow(found: FleetRow, readTime: number, timeMs: number): FleetChange | undefined {
    const { deviceId } = found;
    const slot = presentSlot(deviceId);
    let row = found;
    let before: ShownDevice | undefined;
    if (slot !== undefined) {
      const heldTime = columns.numbers.readTime[slot] ?? 0;
      const heldPage = columns.numbers.page[slot] ?? 0;
      if (isOlder(found.page, readTime, heldPage, heldTime)) return undefined;
      before = shownAt(slot);
      if (isSame(before.row, found)) {
        columns.numbers.readTime[slot] = Math.max(heldTime, readTime);
        return undefined;
      }
      // The stream tells nobody of what changed without it, such as a repair.
      if (isDeepStrictEqual(before.row.marks, found.marks)) row = { ...found, alteredTime: timeMs };
    }
    const now = livenessOf(row, timeMs);
    const written = columns.write(row, readTime, now);
    const notes = annotationBitsAt(written) | agedBitAt(written, timeMs);
    columns.bytes.notes[written] = notes;
    const after = { row, liveness: now, notes };
    if (before === undefined) order.add(written);
    return before === undefined ? { deviceId, after } : { deviceId, before, after };
  }

  function drop(slot: number): FleetChange {
    const change = { deviceId: columns.idOf(slot), before: shownAt(slot) };
    columns.remove(slot);
    order.remove(slot);
    return change;
  }

  return {
    columns,
    find: (deviceId) => {
      const slot = presentSlot(deviceId);
      return slot === undefined ? undefined : columns.rowAt(slot);
    },
    shown: (deviceId) => {
      const slot = presentSlot(deviceId);
      return slot === undefined ? undefined : shownAt(slot);
    },
    inOrder: order.slots,
    ranks: order.ranks,
    put: (state, readTime, timeMs) => putRow(fleetRow(state), readTime, timeMs),
    restore: (saved) => {
      for (const row of saved) {
        if (presentSlot(row[0]) !== undefined) continue;
        const slot = columns.restore(row);
        columns.bytes.notes[slot] = annotationBitsAt(slot);
        order.add(slot);
      }
    },
    annotate: (said, timeMs) => {
      const ids = new Set([...annotations.keys(), ...said.keys()]);
      annotations = said;
      const changes: FleetChange[] = [];
      for (const deviceId of ids) {
        const slot = presentSlot(deviceId);
        if (slot === undefined) continue;
        const held = columns.bytes.notes[slot] ?? 0;
        const notes = (held & ~ANNOTATION_BITS) | annotationBitsAt(slot);
        if (notes === held) continue;
        const before = shownAt(slot);
        columns.bytes.notes[slot] = notes;
        // The stream tells nobody of it.
        columns.numbers.alteredTime[slot] = timeMs;
        changes.push({ deviceId, before, after: { ...before, notes } });
      }
      return changes;
    },
    notesOf: (deviceId) => columns.bytes.notes[presentSlot(deviceId) ?? -1] ?? 0,
    annotationsOf: (deviceId) => annotations.get(deviceId),
    beginReading: (readTime) => {
      let found = new Uint8Array(columns.slotsEnd);
      return {
        put: (state, timeMs) => {
          const change = putRow(fleetRow(state), readTime, timeMs);
          const slot = columns.slotOf(state.deviceId) ?? 0;
          if (slot >= found.length) found = enlarged(found, columns.slotsEnd);
          found[slot] = 1;
          return change;
        },
        dropRest: () => {
          const changes: FleetChange[] = [];
          for (let slot = 0; slot < columns.slotsEnd; slot += 1) {
            const isKept = found[slot] === 1 || (columns.numbers.readTime[slot] ?? 0) > readTime;
            if (!isKept && columns.isPresent(slot)) changes.push(drop(slot));
          }
          return changes;
        },
      };
    },
    ageTo: (timeMs, changesMax) => {
      const now = livenessColumn(columns, timeMs, processedOf);
      const { liveness: told, notes } = columns.bytes;
      const changes: FleetChange[] = [];
      for (let slot = 0; slot < columns.slotsEnd; slot += 1) {
        const held = notes[slot] ?? 0;
        const aged = agedBitAt(slot, timeMs);
        if (now[slot] === told[slot] && aged === (held & NOTE.gapsAgedOut)) continue;
        if (!columns.isPresent(slot)) continue;
        if (changes.length === changesMax) break;
        const noted = (held & ~NOTE.gapsAgedOut) | aged;
        if (changesMax !== undefined) {
          const before = shownAt(slot);
          const after = { ...before, liveness: LIVENESS[now[slot] ?? 0] ?? 'unknown', notes: noted };
          changes.push({ deviceId: before.row.deviceId, before, after });
        }
        told[slot] = now[slot] ?? 0;
        notes[slot] = noted;
        if (noted !== held) columns.numbers.alteredTime[slot] = timeMs;
      }
      return changes;
    },
  };
}

/** Twice as long as needed now: a reading may find many new devices. */
function enlarged(found: Uint8Array, length: number): Uint8Array<ArrayBuffer> {
  const larger = new Uint8Array(2 * length);
  larger.set(found);
  return larger;
}

/** Whether a read says less than the held row does: pages only rise, but for a repair or another table, which later reads show. */
function isOlder(page: number, readTime: number, heldPage: number, heldTime: number): boolean {
  if (page > heldPage) return false;
  return page === heldPage ? readTime < heldTime : readTime <= heldTime;
}

/** By content: a repair may correct what stands at the same page. */
function isSame({ alteredTime: _, ...held }: FleetRow, found: FleetRow): boolean {
  return held.page === found.page && isDeepStrictEqual(held, found);
}
