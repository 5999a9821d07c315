import type { DeviceId } from '@twinstream/device-model';

/** Labels, and what else has a text of its own in every row. */
type SavedText = string | null;
/**
 * A row as it is saved: numbers in the order of the columns of numbers (null for none), status and flags, the keys of shape and shards, labels, and the
 * cells, in which a text stands in the place of its number. {@link SAVED_VERSION} counts the forms that this had.
 */
export type SavedRow = readonly [
  deviceId: DeviceId,
  numbers: readonly (number | null)[],
  status: number,
  flags: number,
  shape: string,
  shards: string,
  labels: readonly SavedText[],
  cells: readonly (number | string)[],
];
export const SAVED_VERSION = 3;
