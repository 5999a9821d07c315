import { CodedError } from '@twinstream/runtime';
import type { UserRecord } from '@twinstream/stream-model';
import type { SentRecord } from './collector.ts';
import { clearSuspects, type Lane, type StoredAnswer, sentRecords, takeFromLane } from './lane.ts';
import type { LaneBook } from './lane-book.ts';
import { createLaneMover } from './lane-mover.ts';
import type { LaneScheduler, Retrier } from './lane-scheduler.ts';
import type { MetricsRecorder } from './metrics.ts';
import type { MixedAggregates } from './options.ts';
import type { Outcomes } from './outcomes.ts';
import type { Failure, PendingRecord } from './pending-record.ts';
import { ProducerError } from './producer-error.ts';
import type { RequestResult } from './put-request.ts';
import { first } from './queue.ts';
import type { TransportAnswer } from './transport.ts';

/** Turns the answers of the stream into outcomes, retries and moves. */
export interface Settler<R extends UserRecord> {
  settle(records: readonly SentRecord<R>[], result: RequestResult, nowMs: number): void;
  /** A newer map is installed: settles the records that landed in shards which the map before did not know. */
  mapInstalled(nowMs: number): void;
  /** Expires records that landed in an unknown shard and have waited too long for a map that names it. */
  expireHeld(nowMs: number): void;
}

export interface SettlerParts<R extends UserRecord> {
  readonly book: LaneBook<R>;
  readonly scheduler: LaneScheduler<R>;
  readonly retrier: Retrier<R>;
  readonly outcomes: Outcomes<R>;
  readonly recorder: MetricsRecorder;
  readonly deadlineMs: number;
  readonly mixedAggregates: MixedAggregates;
  /** Asks for a map that is read from now on. */
  requestMap(): void;
}

/**
 * What an answer does to a lane:
 *
 * | request | record | transition | records in flight |
 * |---|---|---|---|
 * | answered | stored where its hash key belongs | `acknowledge` | acknowledged |
 * | answered | stored in a shard that the map does not know | `hold` | wait for a newer map |
 * | answered | stored in another shard | `divide` | acknowledged, or sent again where they belong; with `resend` either all or none |
 * | answered | rejected for its shard's rate | `retry` | sent again; not stored |
 * | answered | rejected for another cause | `retry` | sent again; may be stored |
 * | throttled | – | `retry` | sent again; not stored |
 * | unanswered | – | `retry` | sent again; may be stored |
 * | malformed | alone, and a single user record | `reject` | fail |
 * | malformed | otherwise | `isolate` | sent again alone, then one by one |
 * | refused | – | `reject` | fail |
 */
type Transition<R extends UserRecord> =
  | { readonly kind: 'acknowledge'; readonly answer: StoredAnswer }
  | { readonly kind: 'hold'; readonly answer: StoredAnswer }
  | {
      readonly kind: 'divide';
      readonly answer: StoredAnswer;
      readonly isForeign: (pending: PendingRecord<R>) => boolean;
    }
  | { readonly kind: 'retry'; readonly failure: Failure }
  | { readonly kind: 'isolate'; readonly error: CodedError; readonly isAlone: boolean }
  | { readonly kind: 'reject'; readonly error: CodedError };

/** Waits already drawn in this settlement, by number of failures: lanes that fail together are retried together. */
type Delays = Map<number, number>;

/** PutRecords names it per record (API reference, read 2026-11). */
const THROTTLED_CODE = 'ProvisionedThroughputExceededException';

export function createSettler<R extends UserRecord>(parts: SettlerParts<R>): Settler<R> {
  const { book, scheduler, retrier, outcomes, recorder } = parts;
  const { counts } = recorder;
  const { leave, handBack } = createLaneMover(book, scheduler);
  /** Lanes whose records landed in a shard that the map does not know. */
  const held = new Set<Lane<R>>();

  function apply(lane: Lane<R>, transition: Transition<R>, delays: Delays, nowMs: number): void {
    if (transition.kind !== 'hold') held.delete(lane);
    switch (transition.kind) {
      case 'acknowledge':
        acknowledge(lane, transition.answer, nowMs);
        break;
      case 'hold':
        hold(lane, transition.answer);
        break;
      case 'divide':
        divide(lane, transition.answer, transition.isForeign, nowMs);
        break;
      case 'retry':
        retry(lane, transition.failure, delays, nowMs);
        break;
      case 'isolate':
        isolate(lane, transition.error, transition.isAlone, nowMs);
        break;
      case 'reject':
        reject(lane, transition.error, nowMs);
        break;
    }
  }

  /** Takes the lane's records in flight off its queue. */
  function takeSent(lane: Lane<R>): PendingRecord<R>[] {
    const taken = takeFromLane(lane, lane.sentCount);
    clearSuspects(lane, taken.length);
    return taken;
  }

  function fail(records: readonly PendingRecord<R>[], failure: Failure, delayMs: number): void {
    for (const pending of records) {
      pending.failure = failure;
      if (failure.possiblyStored) pending.possiblyStored = true;
    }
    recorder.emit({ type: 'retry', reason: failure.reason, userRecordCount: records.length, delayMs });
  }

  function backOff(lane: Lane<R>, delays: Delays, nowMs: number): number {
    lane.failures += 1;
    const delayMs = delays.get(lane.failures) ?? retrier.delayMs(lane.failures);
    delays.set(lane.failures, delayMs);
    scheduler.backOff(lane, nowMs + delayMs);
    return delayMs;
  }

  function acknowledge(lane: Lane<R>, answer: StoredAnswer, nowMs: number): void {
    const firstIndex = lane.held?.firstIndex ?? 0;
    const taken = takeSent(lane);
    lane.failures = 0;
    leave(lane, nowMs);
    for (const [index, pending] of taken.entries()) {
      outcomes.acknowledge(pending, answer, firstIndex + index, nowMs);
    }
  }

  function hold(lane: Lane<R>, answer: StoredAnswer): void {
    for (const pending of sentRecords(lane)) pending.possiblyStored = true;
    lane.held ??= { answer, firstIndex: 0 };
    lane.state = 'held';
    held.add(lane);
    parts.requestMap();
  }

  function retry(lane: Lane<R>, failure: Failure, delays: Delays, nowMs: number): void {
    const records = sentRecords(lane);
    lane.sentCount = 0;
    if (!lane.isRetired) {
      fail(records, failure, backOff(lane, delays, nowMs));
      return;
    }
    // Another shard owns the devices now: waiting for this one is pointless.
    fail(records, failure, 0);
    handBack(takeFromLane(lane, records.length), nowMs);
    leave(lane, nowMs);
  }

  /** The stream refuses what the lane has sent, for good. */
  function reject(lane: Lane<R>, cause: CodedError, nowMs: number): void {
    const taken = takeSent(lane);
    leave(lane, nowMs);
    const message = `the stream refuses the record: ${cause.message}`;
    const reason = new ProducerError('STREAM_REJECTED', message, { cause });
    for (const pending of taken) outcomes.fail(pending, reason);
  }

  /** One of the request's records made the stream refuse it: the lane's Kinesis record is sent alone, then each user record. */
  function isolate(lane: Lane<R>, error: CodedError, isAlone: boolean, nowMs: number): void {
    const suspects = sentRecords(lane);
    fail(suspects, { reason: 'isolated', error, possiblyStored: false }, 0);
    lane.sentCount = 0;
    lane.suspicion = isAlone ? 'single' : 'alone';
    lane.suspectCount = Math.max(lane.suspectCount, suspects.length);
    if (lane.isRetired) handBack(takeFromLane(lane, suspects.length), nowMs);
    leave(lane, nowMs);
  }

  /** Part of an aggregate landed where its devices do not belong: that part, or with `resend` all of it, is sent again to where they do. */
  function divide(
    lane: Lane<R>,
    answer: StoredAnswer,
    isForeign: (pending: PendingRecord<R>) => boolean,
    nowMs: number,
  ): void {
    const firstIndex = lane.held?.firstIndex ?? 0;
    const taken = takeSent(lane);
    lane.sentCount = 0;
    const foreign: PendingRecord<R>[] = [];
    const own: { readonly pending: PendingRecord<R>; readonly index: number }[] = [];
    const isWhole = parts.mixedAggregates === 'resend' && taken.some(isForeign);
    for (const [at, pending] of taken.entries()) {
      if (isWhole || isForeign(pending)) foreign.push(pending);
      else own.push({ pending, index: firstIndex + at });
    }
    if (foreign.length === 0) leave(lane, nowMs);
    else sendElsewhere(lane, foreign, answer, nowMs);
    for (const { pending, index } of own) outcomes.acknowledge(pending, answer, index, nowMs);
  }

  function sendElsewhere(
    lane: Lane<R>,
    foreign: readonly PendingRecord<R>[],
    answer: StoredAnswer,
    nowMs: number,
  ): void {
    const what = parts.mixedAggregates === 'resend' ? 'every hash key of its aggregate' : 'its hash key';
    const message = `stored in ${answer.shardId}, which does not hold ${what}`;
    const error = new CodedError('WRONG_SHARD', message, { retryable: true });
    const failure: Failure = { reason: 'wrong-shard', error, possiblyStored: true };
    handBack(foreign, nowMs);
    if (lane.isRetired) {
      fail(foreign, failure, 0);
      leave(lane, nowMs);
      return;
    }
    // A lane in service gets its own records back, because the stream contradicts its shard list. It waits before it retries.
    lane.held = undefined;
    fail(foreign, failure, backOff(lane, new Map(), nowMs));
  }

  function landed(
    lane: Lane<R>,
    predicted: SentRecord<R>['home'],
    answer: StoredAnswer,
    wasMapReadSince: boolean,
  ): Transition<R> {
    const landing = book.landing(lane, predicted.shard.shardId, answer.shardId, wasMapReadSince);
    if (landing.status === 'unknown') return { kind: 'hold', answer };
    if (landing.status === 'wrong') return { kind: 'divide', answer, isForeign: landing.isForeign };
    if (landing.isMapOutdated) parts.requestMap();
    return { kind: 'acknowledge', answer };
  }

  function transitionOf(
    sent: SentRecord<R>,
    index: number,
    result: RequestResult,
    isAlone: boolean,
  ): Transition<R> | undefined {
    switch (result.status) {
      case 'answered': {
        const answer = result.answers[index];
        if (answer === undefined) return undefined;
        return answer.status === 'stored'
          ? landed(sent.lane, sent.home, answer, false)
          : { kind: 'retry', failure: rejection(answer) };
      }
      case 'throttled':
      case 'unanswered':
        return {
          kind: 'retry',
          failure: {
            reason: result.status,
            error: result.error,
            possiblyStored: result.status === 'unanswered',
          },
        };
      case 'malformed':
        return isAlone && sent.lane.sentCount === 1
          ? { kind: 'reject', error: result.error }
          : { kind: 'isolate', error: result.error, isAlone };
      case 'refused':
        return { kind: 'reject', error: result.error };
    }
  }

  /** Counts the answer to one Kinesis record, and lets its shard's limiter sample it. */
  function record(sent: SentRecord<R>, index: number, result: RequestResult, nowMs: number): void {
    if (result.status === 'throttled') sample(sent.home, true, nowMs);
    const answer = result.status === 'answered' ? result.answers[index] : undefined;
    if (answer === undefined) return;
    sample(sent.home, isThrottle(answer), nowMs);
    if (answer.status === 'stored') {
      counts.recordsAcknowledged += 1;
      counts.bytesAcknowledged += sent.bytes;
      if (answer.shardId !== sent.home.shard.shardId) counts.shardMisses += 1;
    } else if (isThrottle(answer)) counts.recordsThrottled += 1;
    else counts.recordsRejected += 1;
  }

  function sample(home: SentRecord<R>['home'], isThrottled: boolean, nowMs: number): void {
    const share = home.limiter.answered(isThrottled, nowMs);
    if (share !== undefined) recorder.emit({ type: 'shard-slowed', shardId: home.shard.shardId, share });
  }

  function expireHeld(nowMs: number): void {
    for (const lane of [...held]) {
      const expired: PendingRecord<R>[] = [];
      while (lane.sentCount > 0 && nowMs - (first(lane.queue)?.putAtMs ?? nowMs) >= parts.deadlineMs) {
        expired.push(...takeFromLane(lane, 1));
        lane.sentCount -= 1;
      }
      if (expired.length === 0 || lane.held === undefined) continue;
      lane.held = { ...lane.held, firstIndex: lane.held.firstIndex + expired.length };
      if (lane.sentCount === 0) {
        held.delete(lane);
        leave(lane, nowMs);
      }
      outcomes.expire(expired, parts.deadlineMs);
    }
  }

  return {
    settle(records, result, nowMs) {
      const delays: Delays = new Map();
      for (const [index, sent] of records.entries()) {
        record(sent, index, result, nowMs);
        const transition = transitionOf(sent, index, result, records.length === 1);
        if (transition !== undefined) apply(sent.lane, transition, delays, nowMs);
      }
    },
    mapInstalled(nowMs) {
      for (const lane of [...held]) {
        if (lane.held === undefined) continue;
        apply(lane, landed(lane, lane.home, lane.held.answer, true), new Map(), nowMs);
      }
    },
    expireHeld,
  };
}

function isThrottle(answer: TransportAnswer): boolean {
  return answer.status === 'rejected' && answer.errorCode === THROTTLED_CODE;
}

function rejection(answer: Extract<TransportAnswer, { status: 'rejected' }>): Failure {
  const message = `${answer.errorCode}: ${answer.message}`;
  const error = new CodedError('RECORD_REFUSED', message, { retryable: true });
  return isThrottle(answer)
    ? { reason: 'throttled', error, possiblyStored: false }
    : { reason: 'rejected', error, possiblyStored: true };
}
