/*
 * States that a container of the projector keeps in memory, so that it need not read them.
 */

/** Of the 1,769 MB that the function has; the batch, its requests and the young generation take less than the rest. */
export const HEADS_MEMORY_MIB = 512;
/** What the projector keeps without a plan (`TWINSTREAM_HEADS_MAX`). */
const HEADS_MIN = 20_000;
/** Devices of the largest shard over the mean of all shards: keys are spread by hash, and shards are not all of one size for ever. */
const SHARD_SPREAD = 1.25;
/** A head in memory by the bytes of its item. Measured on 2026-12-01 of 1,500 simulated devices: 2,204 bytes at reports of 170 bytes, 3,021 at 600. */
const HEAD = { bytes: 1_100, share: 2.5 } as const;

/** How many heads a container keeps: those of the devices of its shard, and at least 20,000, as far as {@link HEADS_MEMORY_MIB} goes. */
export function headsOfContainer(fleet: {
  readonly deviceCount: number;
  readonly shardCount: number;
  readonly stateBytes: number;
}): number {
  const { deviceCount, shardCount, stateBytes } = fleet;
  const devices = Math.ceil((deviceCount / shardCount) * SHARD_SPREAD);
  const most = Math.floor((HEADS_MEMORY_MIB * 1_024 * 1_024) / (HEAD.bytes + HEAD.share * stateBytes));
  return Math.min(Math.max(devices, HEADS_MIN), most);
}
