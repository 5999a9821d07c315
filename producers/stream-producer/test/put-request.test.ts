import { getEventListeners } from 'node:events';
import { CodedError } from '@twinstream/runtime';
import { virtualClock } from '@twinstream/test-kit';
import { describe, expect, test } from 'vitest';
import { putRequest, withinTime } from '../src/put-request.ts';

const forEver = () => new Promise<never>(() => undefined);

describe('a call within its time', () => {
  test('returns its result, and leaves no timer and no listener behind', async () => {
    const clock = virtualClock();
    const stop = new AbortController().signal;
    expect(await clock.run(withinTime(clock, 100, stop, async () => 7))).toBe(7);
    expect(getEventListeners(stop, 'abort')).toEqual([]);
    const endedMs = clock.now();
    await expect(clock.run(forEver())).rejects.toThrow('nothing sleeps');
    expect(clock.now()).toBe(endedMs);
  });

  test('rejects with its own error', async () => {
    const clock = virtualClock();
    const own = new Error('own');
    const call = withinTime(clock, 100, new AbortController().signal, () => Promise.reject(own));
    await expect(clock.run(call)).rejects.toBe(own);
  });

  test('is given up when the time is over, and told so', async () => {
    const clock = virtualClock({ startMs: 0 });
    let seen: AbortSignal | undefined;
    const call = withinTime(clock, 100, new AbortController().signal, (signal) => {
      seen = signal;
      return forEver();
    });
    const error = { code: 'STREAM_UNAVAILABLE', retryable: true, message: 'no answer within 100 ms' };
    await expect(clock.run(call)).rejects.toMatchObject(error);
    expect(clock.now()).toBe(100);
    expect(seen?.reason).toMatchObject(error);
  });

  test('is given up when the producer stops, and told so', async () => {
    const clock = virtualClock({ startMs: 0 });
    const stop = new AbortController();
    let seen: AbortSignal | undefined;
    const call = withinTime(clock, 100, stop.signal, (signal) => {
      seen = signal;
      return forEver();
    });
    stop.abort();
    const error = { code: 'STREAM_UNAVAILABLE', retryable: true, message: /stopped before the answer/ };
    await expect(call).rejects.toMatchObject({ ...error, message: expect.stringMatching(error.message) });
    expect(seen?.reason).toMatchObject({ code: 'STREAM_UNAVAILABLE' });
    expect(clock.now()).toBe(0);
  });

  test('is not made after the producer has stopped', async () => {
    let calls = 0;
    const call = withinTime(virtualClock(), 100, AbortSignal.abort(), async () => {
      calls += 1;
    });
    await expect(call).rejects.toMatchObject({ code: 'STREAM_UNAVAILABLE', retryable: true });
    expect(calls).toBe(0);
  });

  test('rejects where the clock fails', async () => {
    const broken = { now: () => 0, sleep: () => Promise.reject(new Error('no clock')) };
    await expect(withinTime(broken, 100, new AbortController().signal, forEver)).rejects.toThrow('no clock');
  });
});

describe('a request', () => {
  const result = (answer: () => Promise<readonly never[]>) => {
    const clock = virtualClock();
    const transport = { putRecords: answer, listShards: forEver };
    const records = [{ partitionKey: 'a', data: Buffer.from('x') }];
    return clock.run(putRequest(transport, records, clock, 100, new AbortController().signal));
  };

  test('with fewer answers than records is unanswered', async () => {
    expect(await result(async () => [])).toMatchObject({
      status: 'unanswered',
      error: { code: 'STREAM_UNAVAILABLE', retryable: true, message: '0 answers to 1 records' },
    });
  });

  test('that fails with an error of no code is unanswered, and the error is the cause', async () => {
    const cause = new Error('socket hang up');
    expect(await result(() => Promise.reject(cause))).toMatchObject({
      status: 'unanswered',
      error: { code: 'STREAM_UNAVAILABLE', retryable: true, cause },
    });
  });

  test('that a transport refuses by throwing is a result, too', async () => {
    const cause = new TypeError('a fault of the transport');
    expect(
      await result(() => {
        throw cause;
      }),
    ).toMatchObject({ status: 'unanswered', error: { cause } });
  });

  test.each([
    ['STREAM_THROTTLED', 'throttled'],
    ['REQUEST_INVALID', 'malformed'],
    ['STREAM_REJECTED', 'refused'],
    ['STREAM_UNAVAILABLE', 'unanswered'],
    ['SOMETHING_ELSE', 'unanswered'],
  ])('that fails with %s is %s', async (code, status) => {
    const error = new CodedError(code, 'injected');
    expect(await result(() => Promise.reject(error))).toEqual({ status, error });
  });
});
