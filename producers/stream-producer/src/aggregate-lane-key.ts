import { hashKeyHex } from '@twinstream/stream-model';

/**
 * Lanes of each shard when records are aggregated.
 *
 * This number and the names below are no option: the lane of a device depends on nothing but its partition key, so that
 * every aggregated record that carries a device has the same outer partition key, whichever producer sends it and whatever
 * shards come and go. Only then may a consumer take a shard's partition keys apart (Lambda's parallelization factor, 1–10)
 * without losing the order of a device. Changing it breaks that rule until the shards written before have been read.
 */
export const AGGREGATE_LANES_PER_SHARD = 16;

/** Which lane of its shard a device is in: the last hexadecimal digit of its hash key; the shard is chosen by the first ones. */
export function aggregateLaneIndex(partitionKey: string): number {
  return laneOfHashKey(hashKeyHex(partitionKey));
}

/** The same from the hash key of the partition key, as 32 hexadecimal digits. */
export function laneOfHashKey(key: string): number {
  return Number.parseInt(key.slice(-1), 16);
}

/** Outer partition key of the records of a lane: `lane-00` to `lane-15`. */
export function aggregateLaneKey(index: number): string {
  return `lane-${String(index).padStart(2, '0')}`;
}

export const AGGREGATE_LANE_KEY_BYTES = 'lane-00'.length;
