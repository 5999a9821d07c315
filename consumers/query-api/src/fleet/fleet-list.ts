import type { DeviceJson } from '../device-json.ts';
import type { LivenessPolicy } from '../liveness.ts';
import { type FleetFilter, fleetPredicate } from './fleet-filter.ts';
import { type FleetRow, livenessOf, rowJson } from './fleet-row.ts';
import { comparePlaces, type FleetSort, type SortPlace, sortPlace } from './fleet-sort.ts';
import type { FleetSnapshot } from './fleet-view.ts';

export interface FleetListQuery {
  readonly filter: FleetFilter;
  readonly sort: FleetSort;
  readonly limit: number;
  /** The list goes on behind this place. */
  readonly after?: SortPlace;
}

export interface FleetListAnswer {
  readonly devices: readonly DeviceJson[];
  /** Devices that meet the filter. */
  readonly total: number;
  /** Absent at the end. */
  readonly last?: SortPlace;
}

interface PlacedRow {
  readonly row: FleetRow;
  readonly place: SortPlace;
}

/** Sorted orders of the rows of a snapshot, made when first asked for and dropped with them. */
const sortedOrders = new WeakMap<readonly FleetRow[], Map<string, readonly PlacedRow[]>>();

function sortedRows(rows: readonly FleetRow[], sort: FleetSort, policy: LivenessPolicy, timeMs: number) {
  let orders = sortedOrders.get(rows);
  if (orders === undefined) {
    orders = new Map();
    sortedOrders.set(rows, orders);
  }
  const key = `${sort.by} ${sort.order}`;
  let sorted = orders.get(key);
  if (sorted === undefined) {
    const placed = rows.map((row) => ({
      row,
      place: sortPlace(row, sort.by, livenessOf(row, policy, timeMs)),
    }));
    const compare = comparePlaces(sort);
    const isSorted = sort.by === 'deviceId' && sort.order === 'asc';
    sorted = isSorted ? placed : placed.sort((a, b) => compare(a.place, b.place));
    orders.set(key, sorted);
  }
  return sorted;
}

/** A page of the fleet. Pages follow each other by place, so that devices that come or go do not shift them. */
export function listFleet(
  snapshot: FleetSnapshot,
  { filter, sort, limit, after }: FleetListQuery,
  policy: LivenessPolicy,
  timeMs: number,
): FleetListAnswer {
  const matches = fleetPredicate(filter);
  const compare = comparePlaces(sort);
  const devices: DeviceJson[] = [];
  let total = 0;
  let last: SortPlace | undefined;
  let more = false;
  for (const { row, place } of sortedRows(snapshot.rows, sort, policy, timeMs)) {
    const liveness = livenessOf(row, policy, timeMs);
    if (!matches(row, liveness)) continue;
    total += 1;
    if (after !== undefined && compare(place, after) <= 0) continue;
    if (devices.length < limit) {
      devices.push(rowJson(row, liveness));
      last = place;
    } else more = true;
  }
  return { devices, total, ...(more && last !== undefined ? { last } : {}) };
}
