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

/** What a row is sorted by. */
export function sortValue(row: FleetRow, by: SortKey, liveness: Liveness): SortValue {
  return isColumn(by)
    ? VALUES[by](row, liveness)
    : sortableValue(ownValue(row.device.attributes, by.slice(ATTRIBUTE_PREFIX.length)));
}

export function isColumn(by: SortKey): by is SortName {
  return Object.hasOwn(VALUES, by);
}

function ownValue(attributes: FleetRow['device']['attributes'], name: string): unknown {
  return Object.hasOwn(attributes, name) ? attributes[name] : undefined;
}

/** What a list is sorted by where an attribute has this value: numbers, texts and booleans; others come last. */
export function sortableValue(value: unknown): SortValue {
  if (typeof value === 'number' || typeof value === 'string') return value;
  return typeof value === 'boolean' ? String(value) : undefined;
}

/** Order of two values; 0 where the id decides. What has no value comes last in either order. */
export function compareSortValues({ by, order }: FleetSort): (a: SortValue, b: SortValue) => number {
  const sign = order === 'asc' ? 1 : -1;
  const compareValues = isColumn(by) ? compareAlike : compareAttributes;
  return (a, b) => {
    if (a === b) return 0;
    if (a === undefined) return 1;
    if (b === undefined) return -1;
    return sign * compareValues(a, b);
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
