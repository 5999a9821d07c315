import type { DeviceJson, FleetFilter } from '@twinstream/api-contract';
import type { DeviceId } from '@twinstream/device-model';
import type { FleetScan } from './columns/fleet-scan.ts';
import { firstAtLeast } from './columns/id-order.ts';
import { type SortValues, sortValues } from './columns/sort-values.ts';
import { type FleetRow, rowJson } from './fleet-row.ts';
import { compareSortValues, type FleetSort } from './fleet-sort.ts';
import type { FleetSnapshot } from './fleet-view.ts';

/** The devices of a list and what each is sorted by, as they were at one moment: not yet sorted. */
export interface PlaceList {
  /** In the list by id by rising id, in others by rising slot. */
  readonly slots: Uint32Array;
  /** Absent in the list by id. */
  readonly sorted?: {
    /** What each is sorted by, at the same index. */
    readonly values: SortValues;
    /** By slot: what decides among equal values. */
    readonly ranks: Uint32Array;
    readonly slotOf: (deviceId: DeviceId) => number | undefined;
  };
  readonly idOf: (slot: number) => DeviceId;
}

/** The places of all devices that meet a filter now. */
export function fleetPlaces(
  snapshot: Pick<FleetSnapshot, 'inOrder' | 'ranks' | 'scan'>,
  filter: FleetFilter,
  sort: FleetSort,
  timeMs: number,
): PlaceList {
  const scan = snapshot.scan(filter, timeMs);
  const { idOf, slotOf } = scan.columns;
  if (sort.by === 'deviceId') return { slots: slotsById(scan, snapshot.inOrder()), idOf };
  const slots = slotsInPlace(scan);
  return {
    slots,
    idOf,
    sorted: { values: sortValues(scan, slots, sort.by), ranks: snapshot.ranks(), slotOf },
  };
}

function slotsById({ matches, count }: FleetScan, inOrder: Uint32Array): Uint32Array {
  if (count === inOrder.length) return inOrder;
  const slots = new Uint32Array(count);
  let index = 0;
  for (let place = 0; index < count; place += 1) {
    const slot = inOrder[place] ?? 0;
    if (matches[slot] === 1) slots[index++] = slot;
  }
  return slots;
}

function slotsInPlace({ matches, count }: FleetScan): Uint32Array {
  const slots = new Uint32Array(count);
  let index = 0;
  for (let slot = 0; index < count; slot += 1) if (matches[slot] === 1) slots[index++] = slot;
  return slots;
}

/** Where a device stands among the places, as the index of its place; between two indexes where it is not among them. */
export function placeIndex({ slots, sorted, idOf }: PlaceList, deviceId: string): number {
  const index =
    sorted === undefined
      ? firstAtLeast<string>(slots, deviceId, idOf)
      : firstAtLeast(slots, sorted.slotOf(deviceId as DeviceId) ?? -1, (slot) => slot);
  const slot = slots[index];
  return slot !== undefined && idOf(slot) === deviceId ? index : index - 0.5;
}

export interface ListPageQuery {
  readonly places: PlaceList;
  readonly sort: FleetSort;
  readonly limit: number;
  /** The page begins after this place, by {@link placeIndex}. */
  readonly after?: number;
  /** Hears of each device in turn; false ends the page before it. Default: takes all. */
  readonly take?: (device: DeviceJson, row: FleetRow) => boolean;
}

export interface ListPage {
  readonly devices: readonly DeviceJson[];
  /** The last device of the page; absent at the end of the list. */
  readonly last?: DeviceId;
}

/**
 * A page of a list: its devices in the order of their places, each with its present state. A device that has left the table
 * since the places were taken is left out.
 */
export function listPage(
  snapshot: Pick<FleetSnapshot, 'find' | 'livenessAt' | 'notesOf'>,
  { places, sort, limit, after, take = () => true }: ListPageQuery,
  timeMs: number,
): ListPage {
  const { slots, idOf } = places;
  const found = firstIndexes(places, sort, limit + 1, after);
  const devices: DeviceJson[] = [];
  let count = 0;
  for (const index of found.slice(0, limit)) {
    const row = snapshot.find(idOf(slots[index] ?? 0));
    if (row !== undefined) {
      const device = rowJson(row, snapshot.livenessAt(row, timeMs), snapshot.notesOf(row.deviceId));
      if (!take(device, row)) break;
      devices.push(device);
    }
    count += 1;
  }
  const last = found[count - 1];
  if (found.length === count || last === undefined) return { devices };
  return { devices, last: idOf(slots[last] ?? 0) };
}

/** Of this number of places one is looked at first. */
const SPREAD = 64;

/** Indexes of the first `count` places in order after `after`, without sorting the rest: a page is short and a fleet is long. */
function firstIndexes(
  places: PlaceList,
  sort: FleetSort,
  count: number,
  after: number | undefined,
): readonly number[] {
  const { slots } = places;
  const compare = indexComparison(places, sort);
  if (compare === undefined) return firstByIndex(slots.length, sort.order === 'asc', count, after);
  let kept: number[] = [];
  /** Whatever comes after it is not among the first. */
  let bound: number | undefined;
  const consider = (index: number): void => {
    if (bound !== undefined && compare(index, bound) > 0) return;
    if (after !== undefined && compare(index, after) <= 0) return;
    kept.push(index);
    if (kept.length < 2 * count) return;
    kept = kept.sort(compare).slice(0, count);
    bound = kept.at(-1);
  };
  // Places spread over all of them bound the page before the rest is seen, also where the rest comes in the opposite order.
  for (let index = 0; index < slots.length; index += SPREAD) consider(index);
  for (let index = 0; index < slots.length; index += 1) if (index % SPREAD !== 0) consider(index);
  return kept.sort(compare).slice(0, count);
}

function firstByIndex(length: number, isRising: boolean, count: number, after: number | undefined): number[] {
  const indexes: number[] = [];
  const step = isRising ? 1 : -1;
  const start = isRising ? Math.floor(after ?? -1) + 1 : Math.ceil(after ?? length) - 1;
  for (let index = start; index >= 0 && index < length && indexes.length < count; index += step) {
    indexes.push(index);
  }
  return indexes;
}

/** Order of two places: by value, then by rising id. What has no value comes last in either order. Undefined in the list by id. */
function indexComparison(
  { slots, sorted }: PlaceList,
  sort: FleetSort,
): ((a: number, b: number) => number) | undefined {
  if (sorted === undefined) return undefined;
  const { values, ranks } = sorted;
  const byId = (a: number, b: number) => (ranks[slots[a] ?? 0] ?? 0) - (ranks[slots[b] ?? 0] ?? 0);
  if (values instanceof Float64Array) {
    const sign = sort.order === 'asc' ? 1 : -1;
    return (a, b) => {
      const x = values[a] ?? Number.NaN;
      const y = values[b] ?? Number.NaN;
      if (x === y) return byId(a, b);
      if (Number.isNaN(x)) return Number.isNaN(y) ? byId(a, b) : 1;
      return Number.isNaN(y) ? -1 : sign * (x - y);
    };
  }
  const compare = compareSortValues(sort);
  return (a, b) => compare(values[a], values[b]) || byId(a, b);
}
