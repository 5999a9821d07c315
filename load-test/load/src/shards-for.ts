/** Shards that npm start has. */
const SHARDS_MIN = 4;
const SHARDS_MAX = 64;
/** An event of the simulator (198 bytes) with its share of the aggregated record around it: 225 in 48,000 events, measured 2026-11-27. */
export const EVENT_BYTES = 230;
/** Of the limits of a shard (1,000 records/s, 1 MB/s), as a margin for bursts and uneven hashing. */
const USED_SHARE = 0.7;

/** Shards for a rate of events, each a record of its own or aggregated. */
export function shardsFor({
  rate,
  aggregate,
}: {
  readonly rate: number;
  readonly aggregate: boolean;
}): number {
  const byBytes = (rate * EVENT_BYTES) / (1_000_000 * USED_SHARE);
  const byRecords = aggregate ? 0 : rate / (1_000 * USED_SHARE);
  return Math.min(SHARDS_MAX, Math.max(SHARDS_MIN, Math.ceil(Math.max(byBytes, byRecords))));
}
