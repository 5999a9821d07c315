import type { DeviceJson, FleetFilter, Liveness } from '@twinstream/api-contract';
import type { LivenessPolicy } from '../liveness.ts';
import { fleetPredicate } from './fleet-filter.ts';
import { type FleetRow, livenessOf, rowJson } from './fleet-row.ts';
import { comparePlaces, type FleetSort, type SortPlace, sortPlace } from './fleet-sort.ts';
import type { FleetSnapshot } from './fleet-view.ts';

export interface FleetListQuery {
  readonly filter: FleetFilter;
  readonly sort: FleetSort;
  readonly limit: number;
  /** The list goes on behind this place. */
  readonly after?: SortPlace;
  /** Hears of each device in turn; false ends the page before it. Default: takes all. */
  readonly take?: (device: DeviceJson) => boolean;
}

export interface FleetListAnswer {
  readonly devices: readonly DeviceJson[];
  /** Devices that meet the filter. */
  readonly total: number;
  /** Absent at the end. */
  readonly last?: SortPlace;
}

/** A page of the fleet. Pages follow each other by place, so that devices that come or go do not shift them. */
export function listFleet(
  snapshot: Pick<FleetSnapshot, 'rows'>,
  { filter, sort, limit, after, take = () => true }: FleetListQuery,
  policy: LivenessPolicy,
  timeMs: number,
): FleetListAnswer {
  const matches = fleetPredicate(filter);
  const compare = comparePlaces(sort);
  const first = firstPlaces(limit + 1, sort);
  let total = 0;
  for (const row of snapshot.rows) {
    const liveness = livenessOf(row, policy, timeMs);
    if (!matches(row, liveness)) continue;
    total += 1;
    const place = sortPlace(row, sort.by, liveness);
    if (after === undefined || compare(place, after) > 0) first.offer({ row, liveness, place });
  }
  const found = first.inOrder();
  const devices: DeviceJson[] = [];
  for (const { row, liveness } of found.slice(0, limit)) {
    const device = rowJson(row, liveness);
    if (!take(device)) break;
    devices.push(device);
  }
  const last = found[devices.length - 1]?.place;
  return {
    devices,
    total,
    ...(found.length > devices.length && last !== undefined ? { last } : {}),
  };
}

interface PlacedRow {
  readonly row: FleetRow;
  readonly liveness: Liveness;
  readonly place: SortPlace;
}

/** Keeps the first `count` of all that are offered, without sorting the rest: a page is short and a fleet is long. */
function firstPlaces(count: number, sort: FleetSort) {
  const compare = comparePlaces(sort);
  const inOrder = (rows: PlacedRow[]) => rows.sort((a, b) => compare(a.place, b.place)).slice(0, count);
  let kept: PlacedRow[] = [];
  /** Whatever stands behind it is not among the first. */
  let bound: SortPlace | undefined;
  return {
    offer: (offered: PlacedRow) => {
      if (bound !== undefined && compare(offered.place, bound) > 0) return;
      kept.push(offered);
      if (kept.length < 2 * count) return;
      kept = inOrder(kept);
      bound = kept.at(-1)?.place;
    },
    inOrder: () => inOrder(kept),
  };
}
