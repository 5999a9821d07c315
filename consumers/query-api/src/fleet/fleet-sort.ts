import {
  ATTRIBUTE_PREFIX,
  LIVENESS,
  type Liveness,
  type Order,
  type SortName,
} from '@twinstream/api-contract';
import { compareNumbers, isNumberText } from '@twinstream/device-model';
import type { FleetRow } from './fleet-row.ts';

export type SortValue = string | number | undefined;

const VALUES = {
  deviceId: (row) => row.deviceId,
  status: (row) => row.device.status,
  liveness: (_row, liveness) => LIVENESS.indexOf(liveness),
  site: (row) => row.device.labels.site,
  type: (row) => row.device.labels.type,
  firmware: (row) => row.device.labels.firmware,
  lastArrivalTime: (row) => row.lastArrivalTime,
  lastEventTime: (row) => row.lastEventTime,
  events: (row) => row.device.counts.events,
  duplicates: (row) => row.device.counts.duplicates,
  late: (row) => row.device.counts.late,
  gaps: (row) => row.device.counts.gaps,
} as const satisfies Record<SortName, (row: FleetRow, liveness: Liveness) => SortValue>;

/** A column, or `attributes.` and the name of an attribute. */
export type SortKey = SortName | `${typeof ATTRIBUTE_PREFIX}${string}`;

export interface FleetSort {
  readonly by: SortKey;
  readonly order: Order;
}

/** Where a row stands in a sorted list. The id decides among equal values, so that no two rows stand in one place. */
export interface SortPlace {
  readonly value: SortValue;
  readonly deviceId: string;
}

export function sortPlace(row: FleetRow, by: SortKey, liveness: Liveness): SortPlace {
  const value = isColumn(by)
    ? VALUES[by](row, liveness)
    : attributeValue(row.device.attributes, by.slice(ATTRIBUTE_PREFIX.length));
  return { value, deviceId: row.deviceId };
}

function isColumn(by: SortKey): by is SortName {
  return Object.hasOwn(VALUES, by);
}

function attributeValue(attributes: FleetRow['device']['attributes'], name: string): SortValue {
  const value = Object.hasOwn(attributes, name) ? attributes[name] : undefined;
  if (typeof value === 'number' || typeof value === 'string') return value;
  return typeof value === 'boolean' ? String(value) : undefined;
}

/** Order of two places. What has no value comes last in either order; equal values always go by rising id. */
export function comparePlaces({ by, order }: FleetSort): (a: SortPlace, b: SortPlace) => number {
  const sign = order === 'asc' ? 1 : -1;
  const compareValues = isColumn(by) ? compareAlike : compareAttributes;
  return (a, b) => {
    if (a.value !== b.value) {
      if (a.value === undefined) return 1;
      if (b.value === undefined) return -1;
      const difference = compareValues(a.value, b.value);
      if (difference !== 0) return sign * difference;
    }
    return a.deviceId < b.deviceId ? -1 : a.deviceId > b.deviceId ? 1 : 0;
  };
}

type PresentValue = NonNullable<SortValue>;

/** Of two texts, or of two numbers. */
function compareAlike(a: PresentValue, b: PresentValue): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Attributes of one name may differ in kind: numbers come first, also those that are the texts of their digits. */
function compareAttributes(a: PresentValue, b: PresentValue): number {
  const isNumberA = isNumber(a);
  if (isNumberA !== isNumber(b)) return isNumberA ? -1 : 1;
  return isNumberA ? compareNumbers(a, b) : compareAlike(a, b);
}

function isNumber(value: PresentValue): boolean {
  return typeof value === 'number' || isNumberText(value);
}
