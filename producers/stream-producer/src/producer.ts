import type { UserRecord } from '@twinstream/stream-model';
import type { ProducerMetrics } from './metrics.ts';
import type { FlushReport, PutOutcome } from './outcome.ts';

/**
 * Puts records into a Kinesis stream so that the records of one partition key (a device) first arrive in the order in
 * which they were put, whatever fails on the way: for anybody who reads a shard after its parents, before each copy of a
 * record there is a copy of the one that was put before it. A record may arrive twice, after an answer that was lost.
 *
 * The order holds among the records of one producer that are acknowledged. A record that is handed back as failed may
 * still be in the stream (`possiblyStored`), anywhere. Records with an explicit hash key are in order per shard.
 *
 * Holds timers and connections until `close`; in a Lambda function, `flush` before each return. Memory is bounded: the
 * buffer (`bufferBytesMax`), at most as much again for what is packed, and what the transport makes of it on its way.
 */
export interface StreamProducer<R extends UserRecord = UserRecord> {
  /**
   * Accepts a record into the bounded buffer. Returns nothing when there is room, and a promise when the caller must wait:
   * `const wait = producer.put(record); if (wait) await wait;` keeps to the bound without a promise per record.
   *
   * `onOutcome` is called exactly once for an accepted record, never before `put` has returned. It gets the same object
   * that was put, so one function can serve all records. It must not throw.
   *
   * The record and its data belong to the producer until then and must not change.
   *
   * Rejects (never throws) with `RECORD_TOO_LARGE`, `INVALID_PARTITION_KEY`, `INVALID_EXPLICIT_HASH_KEY`,
   * `PRODUCER_CLOSED`, `TOO_MANY_WAITING_PUTS` (10,000 calls wait already, because the caller does not) or
   * `UNCLAIMED_FAILURES` (records that failed without a callback fill the buffer's size again; `flush` hands them over).
   * A record whose `put` rejects has not been accepted and gets no outcome.
   */
  put(record: R, onOutcome?: (outcome: PutOutcome<R>) => void): Promise<void> | void;
  /** Sends at once what waits for company, and resolves when everything put before has its outcome. Rejects never. */
  flush(): Promise<FlushReport<R>>;
  /**
   * Refuses further puts, flushes, and releases everything. The report holds every record that was not sent, with its
   * reason. It takes as long as the deadline of the last record at most; when `signal` is aborted, what has no outcome yet
   * fails with `PRODUCER_ABORTED` at once. A second call gives the same report.
   */
  close(signal?: AbortSignal): Promise<FlushReport<R>>;
  readonly metrics: ProducerMetrics;
}
