/**
 * What a plan takes for granted beside quotas and prices. Where a number was measured it says so; the others are guesses on the
 * safe side. Measure your own devices, and change them here.
 */
export const ASSUMPTIONS = {
  /** Bytes of a partition key: an id of ordinary length. Guess. */
  keyBytes: 16,
  /** An aggregated record: the size at which the producer sends one (its default). */
  aggregateBytes: 51_200,
  /** `aggregateRecordsMax` of the producer, and its lanes of a shard; a test holds them equal. */
  aggregateEvents: 4_096,
  lanesPerShard: 16,
  /** What aggregation adds to an event and to a record (magic, digest, key of the lane). Measured with the encoder by a test. */
  aggregateEventOverheadBytes: 10,
  aggregateRecordOverheadBytes: 27,
  /** Linger of the producer: the longest time that an event waits for its batch to fill (its default). */
  lingerSeconds: 0.05,
  /** Longest linger that a plan chooses: what a producer holds is lost if its process and its devices' copies end. Guess. */
  lingerSecondsMax: 5,
  /** Events a second that one producer sends: the load test's simulator, docs/capacity-and-cost.md, "Measured curves". */
  eventsPerProducer: 20_000,
  /** Record of an invocation's event without its data: with names as long as the stacks give them, measured by a test of infra/local-aws. */
  envelopeBytes: 640,
  /** From the put to the poll, with one or two consumers that share a shard ("shared polling", Kinesis developer guide, read 2026-11). */
  propagationSeconds: 0.2,
  /** Line of the archive around an event. Measured in November 2026 (docs/measurements.md): 378 bytes for one of 171. */
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
  /**
   * Share of batches that reach another container than their shard's batch before: Lambda promises no affinity of shard and
   * container. Guess; the projector reports `headHits`. Of one shard, whose invocations never overlap: none.
   */
  strayBatchShare: 0.05,
  /** Log lines of an invocation: the batch summary, its metrics, and Lambda's start, end and report. Guess on the safe side. */
  logBytesPerInvocation: 3_000,
  /** Use of provisioned capacity that auto scaling keeps (its default: 70 %). */
  provisionedUse: 0.7,
  /** Topic of an MQTT message. Guess. */
  topicBytes: 64,
} as const;

export const ASSUMPTION_SOURCE = 'shared/capacity/src/assumptions.ts, 2026-11';
