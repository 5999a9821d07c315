import type { ShardMap, UserRecord } from '@twinstream/stream-model';
import type { PackedRecord } from './aggregator.ts';
import { createAlarm } from './alarm.ts';
import { createCollector, type SentRecord } from './collector.ts';
import { appendToLane, isBlocked, type Lane, takeFromLane, takePutBefore } from './lane.ts';
import type { LaneBook } from './lane-book.ts';
import { createLaneScheduler, createRetrier } from './lane-scheduler.ts';
import { addDuration, type Counts, type MetricsRecorder } from './metrics.ts';
import type { ResolvedOptions } from './options.ts';
import type { Outcomes } from './outcomes.ts';
import type { PendingRecord } from './pending-record.ts';
import type { FailureCode, ProducerError } from './producer-error.ts';
import { putRequest, type RequestResult } from './put-request.ts';
import { first, itemAt, queueSize } from './queue.ts';
import { createSettler } from './settler.ts';

/** Moves records from their lanes into requests. */
export interface Dispatcher<R extends UserRecord> {
  /** Takes a record whose buffer capacity is reserved. */
  accept(pending: PendingRecord<R>): void;
  /** Runs the dispatcher soon: after a flush has begun, or when a call of `put` waits for buffer capacity. */
  wake(): void;
  /** Takes over a newer map of the shards. */
  install(map: ShardMap): void;
  /** Stops for good, and fails everything that has no outcome. */
  stop(reason: ProducerError<FailureCode>): void;
  readonly requestsInFlight: number;
}

export interface DispatcherParts<R extends UserRecord> {
  readonly options: ResolvedOptions;
  readonly book: LaneBook<R>;
  readonly outcomes: Outcomes<R>;
  readonly recorder: MetricsRecorder;
  /** Aborted when the producer is closed; ends requests in flight. */
  readonly stopSignal: AbortSignal;
  isFlushing(): boolean;
  pendingCount(): number;
  /** Admits calls of `put` that wait for buffer capacity. */
  admit(): void;
  /** Asks for a newer map. */
  requestMap(): void;
}

/** How often records past their deadline are looked for in lanes that do not get to send. */
const EXPIRY_CHECK_MS = 1_000;

/**
 * Works in turns. Each admits calls of `put` that wait, expires what is overdue, makes ready the lanes whose wait is over,
 * sends requests while those in flight and the limiters of the shards allow, and sets the alarm for the next turn. A turn
 * comes with the alarm, with an answer, with a newer map, and after `wake`.
 */
export function createDispatcher<R extends UserRecord>(parts: DispatcherParts<R>): Dispatcher<R> {
  const { options, book, outcomes, recorder } = parts;
  const { clock, deadlineMs, mixedAggregates } = options;
  const retrier = createRetrier<R>(options.backoff, options.random);
  const scheduler = createLaneScheduler<R>({
    book,
    retrier,
    lingerMs: options.lingerMs,
    // Aggregates fill by their own size; without aggregation each lane is one record of the request.
    lingeringLanesMax: options.aggregate ? Number.POSITIVE_INFINITY : options.requestRecordsMax,
    isFlushing: parts.isFlushing,
    onReady: wake,
  });
  const settler = createSettler<R>({ ...parts, scheduler, retrier, deadlineMs, mixedAggregates });
  const collect = createCollector<R>(book, options, prepare);
  const alarm = createAlarm(clock, run);
  let requestsInFlight = 0;
  let isWoken = false;
  let isStopped = false;
  let expiryCheckAtMs = 0;

  /** Packs the next Kinesis record of a ready lane, which counts as sent from then on. */
  function prepare(lane: Lane<R>, nowMs: number): PackedRecord | undefined {
    expireHead(lane, nowMs);
    if (first(lane.queue) === undefined) {
      scheduler.schedule(lane, nowMs);
      return undefined;
    }
    const packed = book.pack(lane, lane.suspicion === 'single' ? 1 : Number.POSITIVE_INFINITY);
    lane.state = 'sent';
    lane.sentCount = packed.count;
    countRecord(recorder, lane, packed, nowMs);
    return packed;
  }

  function expireHead(lane: Lane<R>, nowMs: number): void {
    outcomes.expire(takePutBefore(lane, nowMs - deadlineMs), deadlineMs);
  }

  function expireOverdue(nowMs: number): void {
    settler.expireHeld(nowMs);
    for (const lane of [...book.lanes()]) {
      // Records in flight get their outcome from the answer or the request's timeout; records of blocked lanes come after them.
      if (lane.sentCount === 0 && !isBlocked(lane)) expireHead(lane, nowMs);
    }
  }

  async function send(records: readonly SentRecord<R>[]): Promise<void> {
    requestsInFlight += 1;
    recorder.counts.requestsSent += 1;
    const sentAtMs = clock.now();
    const result = await putRequest(
      options.transport,
      records.map(({ transport }) => transport),
      clock,
      options.requestTimeoutMs,
      parts.stopSignal,
    );
    requestsInFlight -= 1;
    const nowMs = clock.now();
    countRequest(recorder, records, result, nowMs - sentAtMs);
    if (isStopped) return;
    settler.settle(records, result, nowMs);
    run();
  }

  /** Sends what may be sent now, and sets the alarm for what may be sent later. */
  function run(): void {
    isWoken = false;
    if (isStopped) return;
    parts.admit();
    const nowMs = clock.now();
    if (nowMs >= expiryCheckAtMs) {
      expiryCheckAtMs = nowMs + EXPIRY_CHECK_MS;
      expireOverdue(nowMs);
    }
    scheduler.advance(nowMs);
    const limitedUntilMs = sendAll(nowMs);
    // Records that expired meanwhile have freed buffer capacity.
    parts.admit();
    const times = [
      limitedUntilMs,
      scheduler.nextAtMs,
      parts.pendingCount() > 0 ? expiryCheckAtMs : undefined,
    ];
    const nextMs = Math.min(...times.map((time) => time ?? Number.POSITIVE_INFINITY));
    if (nextMs !== Number.POSITIVE_INFINITY) alarm.setFor(nextMs);
  }

  /** Returns when a limiter next admits a record; undefined when none holds a record back, or when all requests are in flight and an answer comes first. */
  function sendAll(nowMs: number): number | undefined {
    while (requestsInFlight < options.requestsInFlightMax) {
      const { records, limitedUntilMs } = collect(nowMs);
      if (records.length === 0) return limitedUntilMs;
      void send(records);
    }
    return undefined;
  }

  function wake(): void {
    if (isWoken || isStopped) return;
    isWoken = true;
    queueMicrotask(run);
  }

  return {
    accept(pending) {
      const lane = book.laneFor(pending.record);
      appendToLane(lane, pending);
      scheduler.grew(lane, pending.putAtMs);
      const nextAtMs = scheduler.nextAtMs;
      if (nextAtMs !== undefined) alarm.setFor(nextAtMs);
    },
    wake,
    install(map) {
      if (isStopped) return;
      const nowMs = clock.now();
      for (const lane of book.install(map, nowMs)) if (lane.state === 'idle') scheduler.schedule(lane, nowMs);
      settler.mapInstalled(nowMs);
      run();
    },
    stop(reason) {
      isStopped = true;
      alarm.clear();
      for (const lane of [...book.lanes()]) {
        const sentCount = lane.sentCount;
        lane.sentCount = 0;
        for (const [index, pending] of takeFromLane(lane, queueSize(lane.queue)).entries()) {
          if (index < sentCount) pending.possiblyStored = true;
          outcomes.fail(pending, reason);
        }
      }
    },
    get requestsInFlight() {
      return requestsInFlight;
    },
  };
}

/** Fields of the counts by how a request ended. */
const REQUEST_COUNTS = {
  answered: 'requestsAnswered',
  throttled: 'requestsThrottled',
  unanswered: 'requestsUnanswered',
  malformed: 'requestsRefused',
  refused: 'requestsRefused',
} as const satisfies Record<RequestResult['status'], keyof Counts>;

function countRequest<R extends UserRecord>(
  { counts, emit }: MetricsRecorder,
  records: readonly SentRecord<R>[],
  result: RequestResult,
  durationMs: number,
): void {
  counts[REQUEST_COUNTS[result.status]] += 1;
  emit({
    type: 'request',
    result: result.status === 'malformed' ? 'refused' : result.status,
    recordCount: records.length,
    bytes: records.reduce((sum, { bytes }) => sum + bytes, 0),
    failedCount:
      result.status === 'answered'
        ? result.answers.filter(({ status }) => status !== 'stored').length
        : records.length,
    durationMs,
  });
}

/** Counts a Kinesis record as sent, and an attempt of each of its user records. */
function countRecord<R extends UserRecord>(
  { counts }: MetricsRecorder,
  { queue }: Lane<R>,
  { count, bytes }: PackedRecord,
  nowMs: number,
): void {
  for (let index = 0; index < count; index += 1) {
    const pending = itemAt(queue, index);
    if (pending === undefined) break;
    if (pending.failure === undefined) addDuration(counts.bufferingTime, nowMs - pending.putAtMs);
    else counts.retries[pending.failure.reason] += 1;
    pending.attempts += 1;
  }
  counts.userRecordsSent += count;
  counts.recordsSent += 1;
  counts.bytesSent += bytes;
}
