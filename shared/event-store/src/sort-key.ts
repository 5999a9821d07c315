import { ARRIVAL_TIME_MAX } from '@twinstream/device-model';
import { CodedError } from '@twinstream/runtime';
import type { PageKey } from './event-store.ts';

/*
 * Sort keys of the events table. Numbers are padded, so that text order is number order: chain order for pages, and
 * for the snapshots of one fold version too. `EVENT#` sorts before `SNAPSHOT#`.
 */

export { ARRIVAL_TIME_MAX };

/** Milliseconds until the year 2286. */
const ARRIVAL_DIGITS = String(ARRIVAL_TIME_MAX).length;
const PAGE_DIGITS = 12;
/** Largest page number that a key holds. */
export const PAGE_NUMBER_MAX = 10 ** PAGE_DIGITS - 1;
const FOLD_VERSION_DIGITS = 6;

/** Below and above every page key of a device. */
export const PAGE_KEY_MIN = 'EVENT#';
export const PAGE_KEY_MAX = 'EVENT#~';
/** Above every key of a device. */
export const KEY_MAX = '~';

const SNAPSHOT_KEY = /^SNAPSHOT#(\d{6})#(\d{13})#(\d{12})$/;
const PAGE_KEY = /^EVENT#(\d{13})#(\d{12})$/;

function padded(value: number, digits: number): string {
  if (!Number.isSafeInteger(value) || value < 0 || value >= 10 ** digits) {
    throw new RangeError(`${value} is not a whole number of at most ${digits} digits`);
  }
  return String(value).padStart(digits, '0');
}

/** Throws RangeError for an arrival or a page number that is not a whole number, negative or too long. */
export function pageSortKey({ arrivalMaxBefore, page }: PageKey): string {
  return `EVENT#${padded(arrivalMaxBefore, ARRIVAL_DIGITS)}#${padded(page, PAGE_DIGITS)}`;
}

/** Above every page key below that arrival, and below every other. Any number is a bound. */
export function pageSortKeysBelow(arrivalMaxBefore: number): string {
  const bound = Math.ceil(arrivalMaxBefore);
  if (bound > ARRIVAL_TIME_MAX) return PAGE_KEY_MAX;
  return `${PAGE_KEY_MIN}${padded(Math.max(bound, 0), ARRIVAL_DIGITS)}`;
}

/** Throws `DAMAGED_ITEM` for a key that is none of a page. */
export function readPageSortKey(key: string): PageKey {
  const parts = PAGE_KEY.exec(key);
  if (parts === null) throw new CodedError('DAMAGED_ITEM', `${JSON.stringify(key)} is not the key of a page`);
  return { arrivalMaxBefore: Number(parts[1]), page: Number(parts[2]) };
}

export function isPageSortKey(key: string): boolean {
  return key.startsWith(PAGE_KEY_MIN);
}

export function snapshotSortKey(foldVersion: number, arrivalMax: number, page: number): string {
  return `${snapshotSortKeys(foldVersion)}${padded(arrivalMax, ARRIVAL_DIGITS)}#${padded(page, PAGE_DIGITS)}`;
}

/** What a snapshot's key says of it. */
export interface SnapshotKey {
  readonly foldVersion: number;
  readonly arrivalMax: number;
  readonly page: number;
}

/** Throws `DAMAGED_ITEM` for a key that is none of a snapshot. */
export function readSnapshotSortKey(key: string): SnapshotKey {
  const parts = SNAPSHOT_KEY.exec(key);
  if (parts === null) {
    throw new CodedError('DAMAGED_ITEM', `${JSON.stringify(key)} is not the key of a snapshot`);
  }
  return { foldVersion: Number(parts[1]), arrivalMax: Number(parts[2]), page: Number(parts[3]) };
}

/** Of whatever fold version. */
export function isSnapshotSortKey(key: string): boolean {
  return SNAPSHOT_KEY.test(key);
}

/** What all snapshot keys of a fold version begin with. */
export function snapshotSortKeys(foldVersion: number): string {
  return `SNAPSHOT#${padded(foldVersion, FOLD_VERSION_DIGITS)}#`;
}

/** Above every snapshot key of that fold version whose running maximum of arrivals is at or before this, and below every other. Any number is a bound. */
export function snapshotSortKeysThrough(foldVersion: number, arrivalMax = Number.POSITIVE_INFINITY): string {
  const prefix = snapshotSortKeys(foldVersion);
  const bound = Math.floor(arrivalMax);
  if (bound < 0) return prefix;
  return bound > ARRIVAL_TIME_MAX ? `${prefix}~` : `${prefix}${padded(bound, ARRIVAL_DIGITS)}#~`;
}
