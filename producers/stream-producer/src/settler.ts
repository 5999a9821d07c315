import { CodedError } from '@twinstream/runtime';
import type { UserRecord } from '@twinstream/stream-model';
import type { SentRecord } from './collector.ts';
import {
  clearSuspects,
  type Failure,
  type Lane,
  type PendingRecord,
  type StoredAnswer,
  sentRecords,
  takeFromLane,
} from './lane.ts';
import type { LaneBook } from './lane-book.ts';
import { createLaneMover } from './lane-mover.ts';
import type { LaneScheduler } from './lane-scheduler.ts';
import type { MetricsRecorder } from './metrics-recorder.ts';
import type { Outcomes } from './outcomes.ts';
import type { RequestResult } from './put-request.ts';
import { first } from './queue.ts';
import type { Retrier } from './retrier.ts';
import type { TransportAnswer } from './transport.ts';

/** Turns the answers of the stream into outcomes, retries and moves. */
export interface Settler<R extends UserRecord> {
  settle(records: readonly SentRecord<R>[], result: RequestResult, nowMs: number): void;
  /** A newer map is installed: decides about what landed in shards that the map before did not know. */
  mapInstalled(nowMs: number): void;
  /** Expires what is stored somewhere unknown and has waited too long for a map that tells where. */
  expireHeld(nowMs: number): void;
}

export interface SettlerParts<R extends UserRecord> {
  readonly book: LaneBook<R>;
  readonly scheduler: LaneScheduler<R>;
  readonly retrier: Retrier<R>;
  readonly outcomes: Outcomes<R>;
  readonly recorder: MetricsRecorder;
  readonly deadlineMs: number;
  /** Asks for a map that is read from now on. */
  requestMap(): void;
}

/** Waits already drawn in this settlement, by number of failures: what fails together is retried together. */
type Delays = Map<number, number>;

/** PutRecords names it per record (API reference, read 2026-11). */
const THROTTLED_CODE = 'ProvisionedThroughputExceededException';

export function createSettler<R extends UserRecord>(parts: SettlerParts<R>): Settler<R> {
  const { book, scheduler, retrier, outcomes, recorder } = parts;
  const { counts } = recorder;
  const { leave, handBack } = createLaneMover(book, scheduler);
  const held = new Set<Lane<R>>();

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

  function retry(lane: Lane<R>, failure: Failure, delays: Delays, nowMs: number): void {
    const records = sentRecords(lane);
    lane.sentCount = 0;
    if (!lane.isRetired) {
      fail(records, failure, backOff(lane, delays, nowMs));
      return;
    }
    // Another shard has the devices now, so the wait for this one is pointless.
    fail(records, failure, 0);
    handBack(takeFromLane(lane, records.length), nowMs);
    leave(lane, nowMs);
  }

  /** The stream refuses what the lane has sent, for good. */
  function reject(lane: Lane<R>, cause: CodedError, nowMs: number): void {
    const taken = takeFromLane(lane, lane.sentCount);
    clearSuspects(lane, taken.length);
    leave(lane, nowMs);
    const message = `the stream refuses the record: ${cause.message}`;
    const reason = new CodedError('STREAM_REJECTED', message, { cause });
    for (const pending of taken) outcomes.fail(pending, reason);
  }

  /** The request was refused because of one of its records: each lane's goes alone then, and after that each by itself. */
  function isolate(records: readonly SentRecord<R>[], error: CodedError, nowMs: number): void {
    const failure: Failure = { reason: 'isolated', error, possiblyStored: false };
    for (const { lane } of records) {
      const suspects = sentRecords(lane);
      if (records.length === 1 && suspects.length === 1) {
        reject(lane, error, nowMs);
        continue;
      }
      fail(suspects, failure, 0);
      lane.sentCount = 0;
      lane.suspicion = records.length === 1 ? 'single' : 'alone';
      lane.suspectCount = Math.max(lane.suspectCount, suspects.length);
      if (lane.isRetired) handBack(takeFromLane(lane, suspects.length), nowMs);
      leave(lane, nowMs);
    }
  }

  function acknowledge(lane: Lane<R>, answer: StoredAnswer, nowMs: number): void {
    const firstIndex = lane.held?.firstIndex ?? 0;
    const taken = takeFromLane(lane, lane.sentCount);
    clearSuspects(lane, taken.length);
    lane.failures = 0;
    leave(lane, nowMs);
    for (const [index, pending] of taken.entries()) {
      outcomes.acknowledge(pending, answer, firstIndex + index, nowMs);
    }
  }

  function sendElsewhere(
    lane: Lane<R>,
    foreign: readonly PendingRecord<R>[],
    answer: StoredAnswer,
    nowMs: number,
  ): void {
    const message = `stored in ${answer.shardId}, which does not hold its hash key`;
    const error = new CodedError('WRONG_SHARD', message, { retryable: true });
    const failure: Failure = { reason: 'wrong-shard', error, possiblyStored: true };
    handBack(foreign, nowMs);
    if (lane.isRetired) {
      fail(foreign, failure, 0);
      leave(lane, nowMs);
      return;
    }
    // A lane in service gets its own records back, because the stream contradicts its list of shards. Not at once again.
    lane.held = undefined;
    fail(foreign, failure, backOff(lane, new Map(), nowMs));
  }

  /** Part of an aggregate landed where its devices do not belong: that part is sent again, to where they do. */
  function divide(
    lane: Lane<R>,
    answer: StoredAnswer,
    isForeign: (pending: PendingRecord<R>) => boolean,
    nowMs: number,
  ): void {
    const firstIndex = lane.held?.firstIndex ?? 0;
    const taken = takeFromLane(lane, lane.sentCount);
    clearSuspects(lane, taken.length);
    lane.sentCount = 0;
    const foreign: PendingRecord<R>[] = [];
    const own: { readonly pending: PendingRecord<R>; readonly index: number }[] = [];
    for (const [at, pending] of taken.entries()) {
      if (isForeign(pending)) foreign.push(pending);
      else own.push({ pending, index: firstIndex + at });
    }
    if (foreign.length === 0) leave(lane, nowMs);
    else sendElsewhere(lane, foreign, answer, nowMs);
    for (const { pending, index } of own) outcomes.acknowledge(pending, answer, index, nowMs);
  }

  function land(
    lane: Lane<R>,
    predicted: SentRecord<R>['home'],
    answer: StoredAnswer,
    wasMapReadSince: boolean,
    nowMs: number,
  ): void {
    const landing = book.landing(lane, predicted.shard.shardId, answer.shardId, wasMapReadSince);
    if (landing.status === 'unknown') {
      for (const pending of sentRecords(lane)) pending.possiblyStored = true;
      lane.held ??= { answer, firstIndex: 0 };
      lane.state = 'held';
      held.add(lane);
      parts.requestMap();
      return;
    }
    held.delete(lane);
    if (landing.status === 'wrong') divide(lane, answer, landing.isForeign, nowMs);
    else {
      if (landing.isMapOutdated) parts.requestMap();
      acknowledge(lane, answer, nowMs);
    }
  }

  function learn(home: SentRecord<R>['home'], isThrottled: boolean, nowMs: number): void {
    const share = home.limiter.answered(isThrottled, nowMs);
    if (share !== undefined) recorder.emit({ type: 'shard-slowed', shardId: home.shard.shardId, share });
  }

  function settleAnswer(sent: SentRecord<R>, answer: TransportAnswer, delays: Delays, nowMs: number): void {
    const isThrottled = answer.status === 'rejected' && answer.errorCode === THROTTLED_CODE;
    learn(sent.home, isThrottled, nowMs);
    if (answer.status === 'stored') {
      counts.recordsAcknowledged += 1;
      counts.bytesAcknowledged += sent.bytes;
      if (answer.shardId !== sent.home.shard.shardId) counts.shardMisses += 1;
      land(sent.lane, sent.home, answer, false, nowMs);
      return;
    }
    const error = new CodedError('RECORD_REFUSED', `${answer.errorCode}: ${answer.message}`, {
      retryable: true,
    });
    if (isThrottled) {
      counts.recordsThrottled += 1;
      retry(sent.lane, { reason: 'throttled', error, possiblyStored: false }, delays, nowMs);
    } else {
      counts.recordsRejected += 1;
      retry(sent.lane, { reason: 'rejected', error, possiblyStored: true }, delays, nowMs);
    }
  }

  function settle(records: readonly SentRecord<R>[], result: RequestResult, nowMs: number): void {
    const delays: Delays = new Map();
    if (result.status === 'answered') {
      for (const [index, sent] of records.entries()) {
        const answer = result.answers[index];
        if (answer !== undefined) settleAnswer(sent, answer, delays, nowMs);
      }
    } else if (result.status === 'malformed') isolate(records, result.error, nowMs);
    else if (result.status === 'refused') for (const { lane } of records) reject(lane, result.error, nowMs);
    else {
      const isThrottle = result.status === 'throttled';
      const failure: Failure = {
        reason: result.status,
        error: result.error,
        possiblyStored: !isThrottle,
      };
      for (const { lane, home } of records) {
        if (isThrottle) learn(home, true, nowMs);
        retry(lane, failure, delays, nowMs);
      }
    }
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
    settle,
    mapInstalled(nowMs) {
      for (const lane of [...held]) {
        if (lane.held !== undefined) land(lane, lane.home, lane.held.answer, true, nowMs);
      }
    },
    expireHeld,
  };
}
