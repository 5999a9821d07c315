/**
 * What a plan takes for granted beside quotas and prices. Where a number was measured it says so; the others are bars that the
 * project holds itself to, or guesses on the safe side. Measure your own devices, and change them here.
 */
export const ASSUMPTIONS = {
  /** Bytes of a partition key: an id of ordinary length. Guess. */
  keyBytes: 16,
  /** An aggregated record: the size at which the producer sends one (its default). */
  aggregateBytes: 51_200,
  /** Stored beside the bytes of an event in a page: position, arrival, stamp. Measured in November 2026: 25 events of 171 bytes take 6 units. */
  pageEventOverheadBytes: 65,
  /** A page without its events. Measured with the above. */
  pageOverheadBytes: 150,
  /** What zstd leaves of a page. Measured in November 2026: 467 bytes of about 6,000, hence 0.08; taken twice as large. */
  compressedShare: 0.15,
  /** Line of the archive around an event. Counted in its format. */
  archiveLineOverheadBytes: 230,
  /** What GZIP leaves of archive lines, which resemble each other. Guess. */
  gzipShare: 0.12,
  /** Events a second of one vCPU through the projector, at 25 events a page, over the SDK. The project's bar. */
  projectorEventsPerSecond: 50_000,
  /** Events a second of one vCPU through the archiver. The project's bar for lines alone is 200,000; less, for the network. */
  archiverEventsPerSecond: 150_000,
  /** Events a second of one vCPU with one conditional put and one update for each. Measured in November 2026, network stubbed out. */
  ordinaryEventsPerSecond: 2_500,
  /** Work of an invocation that does not grow with its batch: progress, and one round trip to a table. Guess. */
  invocationSeconds: 0.02,
  /** Memory of the functions, as the stacks set it. */
  projectorGb: 1.769,
  archiverGb: 1.024,
  /** The projector's defaults. */
  pagesPerSnapshot: 100,
  snapshotUnits: 2,
  /** Share of pages whose device is not in the memory of its container. Guess; the projector reports it as `headHits`. */
  headMissShare: 0.05,
} as const;

export const ASSUMPTION_SOURCE = 'shared/capacity/src/assumptions.ts, 2026-11';
