import type { DeviceJson, FleetFilter } from '@twinstream/api-contract';
import type { DeviceId } from '@twinstream/device-model';
import { fleetPredicate } from './fleet-filter.ts';
import { type FleetRow, rowJson } from './fleet-row.ts';
import { comparePlaces, type FleetSort, type SortPlace, type SortValue, sortPlace } from './fleet-sort.ts';
import type { FleetSnapshot } from './fleet-view.ts';

/** The devices of a list and what each is sorted by, as they were at one moment: not yet sorted. */
export interface PlaceList {
  readonly deviceIds: readonly DeviceId[];
  /** What each is sorted by, at the same index. */
  readonly values: readonly SortValue[];
}

/** The places of all devices that meet a filter now. */
export function fleetPlaces(
  snapshot: Pick<FleetSnapshot, 'rows' | 'find' | 'livenessAt'>,
  filter: FleetFilter,
  sort: FleetSort,
  timeMs: number,
): PlaceList {
  const matches = fleetPredicate(filter);
  const deviceIds: DeviceId[] = [];
  const values: SortValue[] = [];
  // A request for a few devices does not look at all.
  const rows = filter.ids === undefined ? snapshot.rows : rowsOf(snapshot, filter.ids);
  for (const row of rows) {
    const liveness = snapshot.livenessAt(row, timeMs);
    if (!matches(row, liveness)) continue;
    deviceIds.push(row.deviceId);
    values.push(sortPlace(row, sort.by, liveness).value);
  }
  return { deviceIds, values };
}

function rowsOf({ find }: Pick<FleetSnapshot, 'find'>, ids: readonly DeviceId[]): readonly FleetRow[] {
  return [...new Set(ids)].map(find).filter((row) => row !== undefined);
}

export interface ListPageQuery {
  readonly places: PlaceList;
  readonly sort: FleetSort;
  readonly limit: number;
  /** The page begins after this place. */
  readonly after?: SortPlace;
  /** Hears of each device in turn; false ends the page before it. Default: takes all. */
  readonly take?: (device: DeviceJson, row: FleetRow) => boolean;
}

export interface ListPage {
  readonly devices: readonly DeviceJson[];
  /** Place of the last device of the page; absent at the end of the list. */
  readonly last?: SortPlace;
}

/**
 * A page of a list: its devices in the order of their places, each with its present state. A device that has left the table
 * since the places were taken is left out.
 */
export function listPage(
  snapshot: Pick<FleetSnapshot, 'find' | 'livenessAt'>,
  { places, sort, limit, after, take = () => true }: ListPageQuery,
  timeMs: number,
): ListPage {
  const compare = comparePlaces(sort);
  const first = firstPlaces(limit + 1, compare);
  for (const [index, deviceId] of places.deviceIds.entries()) {
    const place = { value: places.values[index], deviceId };
    if (after === undefined || compare(place, after) > 0) first.offer(place);
  }
  const found = first.inOrder();
  const devices: DeviceJson[] = [];
  let count = 0;
  for (const { deviceId } of found.slice(0, limit)) {
    const row: FleetRow | undefined = snapshot.find(deviceId);
    if (row !== undefined) {
      const device = rowJson(row, snapshot.livenessAt(row, timeMs));
      if (!take(device, row)) break;
      devices.push(device);
    }
    count += 1;
  }
  const last = found[count - 1];
  return { devices, ...(found.length > count && last !== undefined ? { last } : {}) };
}

/** A place of a list, whose device is one of the fleet. */
type DevicePlace = SortPlace & { readonly deviceId: DeviceId };

/** Keeps the first `count` of all that are offered, without sorting the rest: a page is short and a fleet is long. */
function firstPlaces(count: number, compare: (a: SortPlace, b: SortPlace) => number) {
  const inOrder = (places: DevicePlace[]) => places.sort(compare).slice(0, count);
  let kept: DevicePlace[] = [];
  /** Whatever comes after it is not among the first. */
  let bound: SortPlace | undefined;
  return {
    offer: (offered: DevicePlace) => {
      if (bound !== undefined && compare(offered, bound) > 0) return;
      kept.push(offered);
      if (kept.length < 2 * count) return;
      kept = inOrder(kept);
      bound = kept.at(-1);
    },
    inOrder: () => inOrder(kept),
  };
}
