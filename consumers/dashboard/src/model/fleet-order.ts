import type { DeviceJson } from '@twinstream/api-contract';
import { LIVENESS } from '@twinstream/api-contract/values';
import { type FleetQuery, type SortKey, sortedAttribute } from './fleet-query.ts';

type SortValue = string | number | undefined;

function sortValueOf(device: DeviceJson, sort: SortKey): SortValue {
  const name = sortedAttribute(sort);
  if (name !== undefined) {
    const value = Object.hasOwn(device.attributes, name) ? device.attributes[name] : undefined;
    if (typeof value === 'boolean') return String(value);
    return typeof value === 'number' || typeof value === 'string' ? value : undefined;
  }
  switch (sort) {
    case 'liveness':
      return LIVENESS.indexOf(device.liveness);
    case 'status':
      return device.status;
    case 'site':
    case 'type':
    case 'firmware':
      return device.labels[sort];
    case 'events':
    case 'late':
    case 'gaps':
      return device.counts[sort];
    case 'lastArrivalTime':
      return device.lastArrivalTime ?? undefined;
    default:
      return device.deviceId;
  }
}

/** Below 0 where a comes before b; rows without a value come last in either order, and numbers before texts. */
function compare(a: SortValue, b: SortValue, sign: number): number {
  if (a === b) return 0;
  if (a === undefined) return 1;
  if (b === undefined) return -1;
  if (typeof a !== typeof b) return typeof a === 'number' ? -sign : sign;
  return a < b ? -sign : sign;
}

/** Whether devices stand in the order that a query asks for, as the API sorts. Texts of numbers are compared as texts. */
export function isInOrder(
  devices: readonly DeviceJson[],
  { sort = 'deviceId', order = 'asc' }: FleetQuery,
): boolean {
  const sign = order === 'asc' ? 1 : -1;
  const values = devices.map((device) => sortValueOf(device, sort));
  return values.every((value, index) => index === 0 || compare(values[index - 1], value, sign) <= 0);
}
