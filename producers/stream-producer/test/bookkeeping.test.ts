import { CodedError } from '@twinstream/runtime';
import { sequenceNumber, shardId } from '@twinstream/stream-model';
import { settled } from '@twinstream/test-kit';
import { describe, expect, test, vi } from 'vitest';
import { createBufferCapacity, RECORD_BOOKKEEPING_BYTES, WAITING_PUTS_MAX } from '../src/buffer-capacity.ts';
import { createFlushTracker } from '../src/flush-tracker.ts';
import type { UserRecord } from '../src/index.ts';
import { createMetricsRecorder, type ProducerEvent } from '../src/metrics.ts';
import { createOutcomes } from '../src/outcomes.ts';
import type { Failure, Generation, PendingRecord } from '../src/pending-record.ts';
import { ProducerError } from '../src/producer-error.ts';
import type { FailedRecord, PutOutcome } from '../src/put-outcome.ts';

const recordOf = (text: string): UserRecord => ({ partitionKey: 'd', data: Buffer.from(text) });
const failedRecord = (text: string): FailedRecord => ({
  status: 'failed',
  record: recordOf(text),
  reason: new ProducerError('EVENT_EXPIRED', 'x'),
  attempts: 1,
  possiblyStored: false,
});

/** Whether a promise has resolved by now, and with what. */
async function stateOf<T>(promise: Promise<T>): Promise<T | 'waits'> {
  await settled();
  return Promise.race([promise, Promise.resolve('waits' as const)]);
}

describe('the capacity of the buffer', () => {
  test('is taken to its last byte, and comes back when it is released', () => {
    const capacity = createBufferCapacity(100);
    expect([capacity.tryTake(60), capacity.tryTake(41), capacity.tryTake(40)]).toEqual([true, false, true]);
    expect(capacity.usedBytes).toBe(100);
    capacity.release(60);
    expect([capacity.usedBytes, capacity.tryTake(60)]).toEqual([40, true]);
  });

  test('admits those who wait in their order, as far as it reaches, and nobody before them', async () => {
    const capacity = createBufferCapacity(100);
    capacity.tryTake(100);
    const taken: string[] = [];
    const waits = ['a', 'b', 'c'].map((name) => capacity.take(30, () => taken.push(name)));
    expect(capacity.waitingCount).toBe(3);
    capacity.admit();
    expect(taken).toEqual([]);
    capacity.release(70);
    expect(capacity.tryTake(1)).toBe(false);
    capacity.admit();
    expect(taken).toEqual(['a', 'b']);
    await Promise.all(waits.slice(0, 2));
    expect([capacity.usedBytes, capacity.waitingCount]).toEqual([90, 1]);
    capacity.release(90);
    capacity.admit();
    expect(taken).toEqual(['a', 'b', 'c']);
    expect([capacity.waitingCount, capacity.tryTake(70)]).toEqual([0, true]);
  });

  test('lets 10,000 wait, and refuses the next', async () => {
    const capacity = createBufferCapacity(10);
    capacity.tryTake(10);
    const waits = Array.from({ length: WAITING_PUTS_MAX }, () => capacity.take(1, () => undefined));
    expect(capacity.waitingCount).toBe(10_000);
    await expect(capacity.take(1, () => undefined)).rejects.toMatchObject({
      code: 'TOO_MANY_WAITING_PUTS',
      retryable: true,
    });
    const ended = Promise.allSettled(waits);
    capacity.refuse(new ProducerError('PRODUCER_CLOSED', 'closed'));
    expect((await ended).every(({ status }) => status === 'rejected')).toBe(true);
  });

  test('refuses all who wait, once', async () => {
    const capacity = createBufferCapacity(10);
    capacity.tryTake(10);
    const reason = new ProducerError('PRODUCER_CLOSED', 'closed');
    const refused = expect(capacity.take(1, () => undefined)).rejects.toBe(reason);
    capacity.refuse(reason);
    await refused;
    capacity.release(10);
    capacity.admit();
    expect([capacity.waitingCount, capacity.usedBytes]).toEqual([0, 0]);
  });
});

describe('a flush', () => {
  test('of nothing ends immediately', async () => {
    const flushes = createFlushTracker();
    expect(flushes.isFlushing).toBe(false);
    expect(await stateOf(flushes.flush())).toEqual([]);
    expect(flushes.isFlushing).toBe(false);
  });

  test('ends when all that was put before it has its outcome, and not before the flushes before it', async () => {
    const flushes = createFlushTracker();
    const put = (): Generation => {
      flushes.current.pendingCount += 1;
      return flushes.current;
    };
    const [one, two] = [put(), put()];
    const first = flushes.flush();
    const three = put();
    const second = flushes.flush();
    const four = put();
    expect(flushes.isFlushing).toBe(true);
    flushes.leave(one);
    expect(await stateOf(first)).toBe('waits');
    flushes.leave(two);
    expect(await stateOf(first)).toEqual([]);
    expect(await stateOf(second)).toBe('waits');
    expect(flushes.isFlushing).toBe(true);
    const third = flushes.flush();
    flushes.leave(four);
    expect(await stateOf(third)).toBe('waits');
    flushes.leave(three);
    expect(await stateOf(second)).toEqual([]);
    expect(await stateOf(third)).toEqual([]);
    expect(flushes.isFlushing).toBe(false);
  });

  test('reports what failed without a callback before it, and all that fails while it runs', async () => {
    const flushes = createFlushTracker();
    const [silent, told, during] = ['silent', 'told', 'during'].map(failedRecord);
    if (!silent || !told || !during) throw new Error('three records');
    flushes.failed(silent, 10, false);
    flushes.failed(told, 20, true);
    expect(flushes.unclaimedBytes).toBe(10);
    const generation = flushes.current;
    generation.pendingCount += 1;
    const flush = flushes.flush();
    expect(flushes.unclaimedBytes).toBe(0);
    flushes.failed(during, 30, false);
    expect(flushes.unclaimedBytes).toBe(0);
    flushes.leave(generation);
    expect(await flush).toEqual([silent, during]);
    expect(await flushes.flush()).toEqual([]);
  });
});

describe('an outcome', () => {
  function settle() {
    const capacity = createBufferCapacity(10_000);
    const flushes = createFlushTracker<UserRecord>();
    const gauges = { userRecordsPending: 0, bufferedBytes: 0, putsWaiting: 0, requestsInFlight: 0 };
    const recorder = createMetricsRecorder(() => gauges);
    const events: ProducerEvent[] = [];
    recorder.metrics.subscribe((event) => events.push(event));
    const outcomes = createOutcomes(capacity, flushes, recorder);
    const pending = (
      text: string,
      onOutcome?: (outcome: PutOutcome) => void,
      failure?: Failure,
    ): PendingRecord<UserRecord> => {
      capacity.tryTake(10 + RECORD_BOOKKEEPING_BYTES);
      flushes.current.pendingCount += 1;
      const rest = {
        putAtMs: 100,
        bytes: 10,
        generation: flushes.current,
        attempts: 2,
        possiblyStored: true,
      };
      return { record: recordOf(text), onOutcome, failure, ...rest };
    };
    return { capacity, flushes, recorder, events, outcomes, pending };
  }
  const ANSWER = { shardId: shardId('shardId-0'), sequenceNumber: sequenceNumber('7') };

  test('is told with its position, counted with its time, and frees its bytes', () => {
    const { capacity, flushes, recorder, outcomes, pending } = settle();
    const told: PutOutcome[] = [];
    outcomes.acknowledge(
      pending('a', (outcome) => told.push(outcome)),
      ANSWER,
      3,
      150,
    );
    outcomes.acknowledge(pending('b'), ANSWER, 4, 130);
    expect(told).toEqual([
      {
        status: 'acknowledged',
        record: recordOf('a'),
        position: { ...ANSWER, subSequenceNumber: 3 },
        attempts: 2,
      },
    ]);
    expect([capacity.usedBytes, flushes.current.pendingCount]).toEqual([0, 0]);
    expect(recorder.counts).toMatchObject({
      userRecordsAcknowledged: 2,
      userRecordsFailed: 0,
      acknowledgementTime: { count: 2, totalMs: 80, maxMs: 50 },
    });
  });

  test('of a failure says whether the record may be stored, and what failed without a callback is kept', () => {
    const { capacity, flushes, recorder, outcomes, pending } = settle();
    const reason = new ProducerError('STREAM_REJECTED', 'no');
    const told: PutOutcome[] = [];
    outcomes.fail(
      pending('a', (outcome) => told.push(outcome)),
      reason,
    );
    outcomes.fail(pending('b'), reason);
    expect(told).toEqual([
      { status: 'failed', record: recordOf('a'), reason, attempts: 2, possiblyStored: true },
    ]);
    expect(flushes.unclaimedBytes).toBe(10 + RECORD_BOOKKEEPING_BYTES);
    expect([capacity.usedBytes, recorder.counts.userRecordsFailed]).toEqual([0, 2]);
  });

  test('of records that expire has the last failure of each as its cause, and one event tells how many', () => {
    const { events, outcomes, pending } = settle();
    const failure = (message: string): Failure => ({
      reason: 'throttled',
      error: new CodedError('RECORD_REFUSED', message),
      possiblyStored: false,
    });
    const [first, second] = [failure('first'), failure('second')];
    const reasons: CodedError[] = [];
    const note = (outcome: PutOutcome) => {
      if (outcome.status === 'failed') reasons.push(outcome.reason);
    };
    outcomes.expire([], 500);
    expect(events).toEqual([]);
    outcomes.expire(
      [undefined, first, first, second, undefined].map((one, index) => pending(String(index), note, one)),
      500,
    );
    expect(reasons.map(({ code, retryable, cause }) => [code, retryable, cause])).toEqual(
      [undefined, first, first, second, undefined].map((one) => ['EVENT_EXPIRED', true, one?.error]),
    );
    expect(reasons[1]).toBe(reasons[2]);
    expect(reasons[0]?.message).toBe('no acknowledgement within 500 ms of put');
    expect(events).toEqual([{ type: 'expired', userRecordCount: 5 }]);
  });

  test('whose callback throws is counted like any other, and the error is thrown outside', () => {
    const { capacity, flushes, outcomes, pending } = settle();
    const thrown: (() => void)[] = [];
    const spy = vi.spyOn(globalThis, 'queueMicrotask').mockImplementation((callback) => {
      thrown.push(callback);
    });
    outcomes.acknowledge(
      pending('a', () => {
        throw new Error('of the caller');
      }),
      ANSWER,
      0,
      150,
    );
    spy.mockRestore();
    expect([capacity.usedBytes, flushes.current.pendingCount]).toEqual([0, 0]);
    expect(thrown).toHaveLength(1);
    expect(thrown[0]).toThrow('of the caller');
  });
});
