/**
 * What a plan takes for granted beside quotas and prices. Where a number was measured it says so; the others are guesses on the
 * safe side. Measure your own devices, and change them here.
 */
export const ASSUMPTIONS = {
  /** Bytes of a partition key: an id of ordinary length. Guess. */
  keyBytes: 16,
  /** An aggregated record: the size at which the producer sends one (its default). */
  aggregateBytes: 51_200,
  /** Linger of the producer: the longest time that an event waits for its batch to fill (its default). */
  producerSeconds: 0.05,
  /** From the put to the poll, with one or two consumers that share a shard ("shared polling", Kinesis developer guide, read 2026-11). */
  propagationSeconds: 0.2,
  /** Line of the archive around an event. Measured in November 2026 (README, "What is measured"): 378 bytes for one of 171. */
  archiveLineOverheadBytes: 207,
  /** What GZIP leaves of archive lines, which resemble each other. Guess. */
  gzipShare: 0.12,
  /** Events a second of one vCPU through the archiver, network left out: `npm run bench -- event-archiver`, 116,029 in November 2026 beside other work. */
  archiverEventsPerSecond: 115_000,
  /**
   * Work of an invocation that does not grow with its batch: progress, and one round trip to a table. Guess. Waiting for tables
   * overlaps (64 devices concurrently) and is not counted otherwise.
   */
  invocationSeconds: 0.02,
  /** Memory of the functions, as the stacks set it. */
  projectorGb: 1.769,
  archiverGb: 1.024,
  /** Window of the archiver's mapping: no reader waits for its events. */
  archiverWindowSeconds: 1,
  /** The projector's default. */
  pagesPerSnapshot: 100,
  /** Progress of a shard, written once a batch. Measured: `npm run bench -- write-units`. */
  progressUnits: 1,
  /** Share of pages whose device is not in the memory of its container. Guess; the projector reports it as `headHits`. */
  headMissShare: 0.05,
} as const;

export const ASSUMPTION_SOURCE = 'shared/capacity/src/assumptions.ts, 2026-11';
