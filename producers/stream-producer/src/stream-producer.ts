import type { UserRecord } from '@twinstream/stream-model';
import { AGGREGATE_LANE_KEY_BYTES, createAggregateLanes } from './aggregate-lanes.ts';
import { createBufferCapacity, RECORD_BOOKKEEPING_BYTES } from './buffer-capacity.ts';
import { createDispatcher } from './dispatcher.ts';
import { createFlushTracker } from './flush-tracker.ts';
import { createMetricsRecorder, type ProducerMetrics } from './metrics.ts';
import { type ResolvedOptions, resolveOptions, type StreamProducerOptions } from './options.ts';
import { createOutcomes } from './outcomes.ts';
import type { Generation } from './pending-record.ts';
import { createPlainLanes } from './plain-lanes.ts';
import { ProducerError } from './producer-error.ts';
import type { AcknowledgedRecord, FlushReport, PutOutcome } from './put-outcome.ts';
import { measureRecord } from './record-check.ts';
import { RecordsFailedError, SendError } from './send-error.ts';
import { createShardMapRefresher, readFirstShardMap } from './shard-map-reader.ts';

/**
 * Puts records into a Kinesis stream so that the records of one partition key (a device) first arrive in the order in
 * which they were put, whatever fails on the way: for a consumer that reads a shard after its parents, each copy of a
 * record comes after a copy of the record that was put before it. A record may arrive twice, after an answer that was lost.
 *
 * The order holds among the records of one producer that are acknowledged. A record that is handed back as failed may
 * still be in the stream (`possiblyStored`), anywhere. Records with an explicit hash key are in order per shard.
 *
 * Holds timers and connections until `close`; in a Lambda function, `flush` before each return. Memory is bounded: the
 * buffer (`bufferBytesMax`), at most as much again for what is packed, and what the transport makes of it on its way.
 */
export interface StreamProducer<R extends UserRecord = UserRecord> extends AsyncDisposable {
  /**
   * Accepts a record into the bounded buffer. Returns nothing when the buffer has capacity, and a promise when the caller must wait (backpressure):
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
  /**
   * Puts a record and waits for its acknowledgement. Calls that are made one after the other keep their order, without waiting for
   * each other. Rejects with a {@link SendError} when the record is not accepted, when it fails, or when `signal` is aborted:
   * the producer goes on with a record that it has accepted, and its outcome is then in the metrics only.
   */
  send(record: R, options?: SendOptions): Promise<AcknowledgedRecord<R>>;
  /** Sends lingering records immediately, and resolves when every record put before has its outcome. Never rejects. */
  flush(): Promise<FlushReport<R>>;
  /**
   * Refuses further puts, flushes, and releases everything. The report holds every record that was not sent, with its
   * reason. It takes as long as the deadline of the last record at most; when `signal` is aborted, what has no outcome yet
   * fails with `PRODUCER_ABORTED` immediately. A second call returns the same report.
   */
  close(signal?: AbortSignal): Promise<FlushReport<R>>;
  /**
   * Closes the producer, if `close` was not called before. Rejects with a {@link RecordsFailedError} when the report of that has failed records.
   * For `await using producer = await createStreamProducer(…)`.
   */
  [Symbol.asyncDispose](): Promise<void>;
  readonly metrics: ProducerMetrics;
}

export interface SendOptions {
  /** Ends the waiting, not the sending. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Reads the stream's shards and returns a producer for it.
 *
 * Rejects with `INVALID_PRODUCER_OPTIONS` (all faults named), or with the transport's error when the shards cannot be read.
 */
export async function createStreamProducer<R extends UserRecord = UserRecord>(
  givenOptions: StreamProducerOptions,
): Promise<StreamProducer<R>> {
  const options = resolveOptions(givenOptions);
  const stop = new AbortController();
  const reading = { ...options, stop: stop.signal };
  const firstMap = await readFirstShardMap(reading);

  const capacity = createBufferCapacity(options.bufferBytesMax);
  const flushes = createFlushTracker<R>();
  const pendingCount = (): number => {
    const { userRecordsPut, userRecordsAcknowledged, userRecordsFailed } = recorder.counts;
    return userRecordsPut - userRecordsAcknowledged - userRecordsFailed;
  };
  const gauges = () => ({
    userRecordsPending: pendingCount(),
    bufferedBytes: capacity.usedBytes,
    putsWaiting: capacity.waitingCount,
    requestsInFlight: dispatcher.requestsInFlight,
  });
  const recorder = createMetricsRecorder(gauges, options.transport.streamName);
  const refresher = createShardMapRefresher(
    reading,
    (map) => {
      recorder.counts.shardMapRefreshes += 1;
      dispatcher.install(map);
      const openShards = map.openShards.map(({ shardId }) => shardId);
      recorder.emit({ type: 'shard-map-refreshed', openShards });
      options.logger?.info({ openShards: openShards.length }, 'shard map refreshed');
    },
    (error) => {
      recorder.emit({ type: 'shard-map-refresh-failed', error });
      options.logger?.warn({ error }, 'shard map refresh failed');
    },
  );
  const rates = {
    bytesPerSecond: options.shardBytesPerSecond,
    recordsPerSecond: options.shardRecordsPerSecond,
  };
  const dispatcher = createDispatcher<R>({
    options,
    book: options.aggregate
      ? createAggregateLanes<R>(firstMap, rates, options, options.clock.now())
      : createPlainLanes<R>(firstMap, rates, options.clock.now()),
    outcomes: createOutcomes<R>(capacity, flushes, recorder),
    recorder,
    stopSignal: stop.signal,
    isFlushing: () => flushes.isFlushing,
    pendingCount,
    admit: capacity.admit,
    requestMap: refresher.request,
  });
  return producerOf({ options, stop, capacity, flushes, recorder, dispatcher });
}

interface Parts<R extends UserRecord> {
  readonly options: ResolvedOptions;
  readonly stop: AbortController;
  readonly capacity: ReturnType<typeof createBufferCapacity>;
  readonly flushes: ReturnType<typeof createFlushTracker<R>>;
  readonly recorder: ReturnType<typeof createMetricsRecorder>;
  readonly dispatcher: ReturnType<typeof createDispatcher<R>>;
}

function producerOf<R extends UserRecord>(parts: Parts<R>): StreamProducer<R> {
  const { options, stop, capacity, flushes, recorder, dispatcher } = parts;
  const { counts } = recorder;
  const limits = {
    recordBytesMax: options.recordBytesMax,
    outerKeyBytes: options.aggregate ? AGGREGATE_LANE_KEY_BYTES : undefined,
  };
  let isClosed = false;
  let closing: Promise<FlushReport<R>> | undefined;

  function accept(
    record: R,
    onOutcome: ((outcome: PutOutcome<R>) => void) | undefined,
    bytes: number,
    generation: Generation,
  ): void {
    counts.userRecordsPut += 1;
    const putAtMs = options.clock.now();
    dispatcher.accept({
      record,
      onOutcome,
      putAtMs,
      bytes,
      generation,
      attempts: 0,
      possiblyStored: false,
      failure: undefined,
    });
  }

  function put(record: R, onOutcome?: (outcome: PutOutcome<R>) => void): Promise<void> | void {
    if (isClosed) return Promise.reject(closedError());
    if (flushes.unclaimedBytes >= options.bufferBytesMax) return Promise.reject(unclaimedError());
    const bytes = measureRecord(record, limits);
    if (typeof bytes !== 'number') return Promise.reject(bytes);
    const reservedBytes = bytes + RECORD_BOOKKEEPING_BYTES;
    const generation = flushes.current;
    generation.pendingCount += 1;
    if (capacity.tryTake(reservedBytes)) {
      accept(record, onOutcome, bytes, generation);
      return;
    }
    dispatcher.wake();
    return capacity
      .take(reservedBytes, () => accept(record, onOutcome, bytes, generation))
      .catch((error: unknown) => {
        flushes.leave(generation);
        throw error;
      });
  }

  async function flush(): Promise<FlushReport<R>> {
    const settled = flushes.flush();
    dispatcher.wake();
    const failed = await settled;
    return {
      acknowledgedCount: counts.userRecordsAcknowledged,
      failedCount: counts.userRecordsFailed,
      failed,
    };
  }

  async function finish(signal: AbortSignal | undefined): Promise<FlushReport<R>> {
    const abort = (): void => {
      capacity.refuse(closedError());
      dispatcher.stop(abortedError());
      stop.abort();
    };
    const flushed = flush();
    if (signal?.aborted) abort();
    else signal?.addEventListener('abort', abort, { once: true });
    const report = await flushed;
    signal?.removeEventListener('abort', abort);
    dispatcher.stop(abortedError());
    stop.abort();
    options.transport.close?.();
    return report;
  }

  function send(record: R, { signal }: SendOptions = {}): Promise<AcknowledgedRecord<R>> {
    if (signal?.aborted) return Promise.reject(SendError.aborted(signal.reason, false));
    const { promise, resolve, reject } = Promise.withResolvers<AcknowledgedRecord<R>>();
    const abort = (): void => reject(SendError.aborted(signal?.reason, true));
    signal?.addEventListener('abort', abort, { once: true });
    const forget = (): void => signal?.removeEventListener('abort', abort);
    const wait = put(record, (outcome) => {
      forget();
      if (outcome.status === 'acknowledged') resolve(outcome);
      else reject(SendError.failed(outcome));
    });
    if (wait === undefined) return promise;
    wait.catch((error: unknown) => {
      forget();
      reject(error instanceof ProducerError ? SendError.refused(error) : error);
    });
    return promise;
  }

  function close(signal?: AbortSignal): Promise<FlushReport<R>> {
    // Before anything that may call back and put again.
    isClosed = true;
    closing ??= finish(signal);
    return closing;
  }

  return {
    put,
    send,
    flush,
    close,
    async [Symbol.asyncDispose]() {
      const isHandled = isClosed;
      const report = await close();
      if (!isHandled && report.failed.length > 0) throw new RecordsFailedError(report);
    },
    metrics: recorder.metrics,
  };
}

function abortedError(): ProducerError<'PRODUCER_ABORTED'> {
  return new ProducerError('PRODUCER_ABORTED', 'the producer was closed before the record was acknowledged');
}

function closedError(): ProducerError<'PRODUCER_CLOSED'> {
  return new ProducerError('PRODUCER_CLOSED', 'the producer is closed');
}

function unclaimedError(): ProducerError<'UNCLAIMED_FAILURES'> {
  return new ProducerError(
    'UNCLAIMED_FAILURES',
    'records that failed without a callback fill the buffer: flush hands them over',
    { retryable: true },
  );
}
