import { CodedError } from '@twinstream/runtime';
import type { UserRecord } from '@twinstream/stream-model';
import { AGGREGATE_LANE_KEY_BYTES } from './aggregate-lane-key.ts';
import { createAggregateLanes } from './aggregate-lanes.ts';
import { createBufferRoom, RECORD_BOOKKEEPING_BYTES } from './buffer-room.ts';
import { createDispatcher } from './dispatcher.ts';
import { createFlushTracker, type Generation } from './flush-tracker.ts';
import { createMetricsRecorder } from './metrics-recorder.ts';
import type { StreamProducerOptions } from './options.ts';
import type { FlushReport, PutOutcome } from './outcome.ts';
import { createOutcomes } from './outcomes.ts';
import { createPlainLanes } from './plain-lanes.ts';
import type { StreamProducer } from './producer.ts';
import { measureRecord } from './record-check.ts';
import { type ResolvedOptions, resolveOptions } from './resolve-options.ts';
import { createShardMapRefresher, readFirstShardMap } from './shard-map-reader.ts';

/**
 * Reads the stream's shards and gives a producer for it.
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

  const room = createBufferRoom(options.bufferBytesMax);
  const flushes = createFlushTracker<R>();
  const pendingCount = (): number => {
    const { userRecordsPut, userRecordsAcknowledged, userRecordsFailed } = recorder.counts;
    return userRecordsPut - userRecordsAcknowledged - userRecordsFailed;
  };
  const recorder = createMetricsRecorder(() => ({
    userRecordsPending: pendingCount(),
    bufferedBytes: room.usedBytes,
    putsWaiting: room.waitingCount,
    requestsInFlight: dispatcher.requestsInFlight,
  }));
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
    outcomes: createOutcomes<R>(room, flushes, recorder),
    recorder,
    stopSignal: stop.signal,
    isFlushing: () => flushes.isFlushing,
    pendingCount,
    admit: room.admit,
    requestMap: refresher.request,
  });
  return producerOf({ options, stop, room, flushes, recorder, dispatcher });
}

interface Parts<R extends UserRecord> {
  readonly options: ResolvedOptions;
  readonly stop: AbortController;
  readonly room: ReturnType<typeof createBufferRoom>;
  readonly flushes: ReturnType<typeof createFlushTracker<R>>;
  readonly recorder: ReturnType<typeof createMetricsRecorder>;
  readonly dispatcher: ReturnType<typeof createDispatcher<R>>;
}

function producerOf<R extends UserRecord>(parts: Parts<R>): StreamProducer<R> {
  const { options, stop, room, flushes, recorder, dispatcher } = parts;
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
    const roomBytes = bytes + RECORD_BOOKKEEPING_BYTES;
    const generation = flushes.current;
    generation.pendingCount += 1;
    if (room.tryTake(roomBytes)) {
      accept(record, onOutcome, bytes, generation);
      return;
    }
    dispatcher.wake();
    return room
      .take(roomBytes, () => accept(record, onOutcome, bytes, generation))
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
      room.refuse(closedError());
      dispatcher.stop(
        new CodedError('PRODUCER_ABORTED', 'the producer was closed before the record was acknowledged'),
      );
      stop.abort();
    };
    const flushed = flush();
    if (signal?.aborted) abort();
    else signal?.addEventListener('abort', abort, { once: true });
    const report = await flushed;
    signal?.removeEventListener('abort', abort);
    dispatcher.stop(closedError());
    stop.abort();
    options.transport.close?.();
    return report;
  }

  return {
    put,
    flush,
    close(signal) {
      // Before anything that may call back and put again.
      isClosed = true;
      closing ??= finish(signal);
      return closing;
    },
    metrics: recorder.metrics,
  };
}

function closedError(): CodedError {
  return new CodedError('PRODUCER_CLOSED', 'the producer is closed');
}

function unclaimedError(): CodedError {
  return new CodedError(
    'UNCLAIMED_FAILURES',
    'records that failed without a callback fill the buffer: flush hands them over',
    { retryable: true },
  );
}
