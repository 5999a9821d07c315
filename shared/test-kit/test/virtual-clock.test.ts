import { seededRandom, settled, steppingClock, TEST_TIME_MS, virtualClock } from '@twinstream/test-kit';
import { describe, expect, test } from 'vitest';

describe('a virtual clock', () => {
  test('wakes sleepers in the order of their times, and of their calls where times are equal', async () => {
    const clock = virtualClock();
    const woken: string[] = [];
    for (const [name, ms] of [
      ['late', 20],
      ['first', 10],
      ['second', 10],
    ] as const) {
      void clock.sleep(ms).then(() => woken.push(`${name} ${clock.now() - TEST_TIME_MS}`));
    }
    await clock.advance(19);
    expect(woken).toEqual(['first 10', 'second 10']);
    await clock.advance(1);
    expect(woken).toEqual(['first 10', 'second 10', 'late 20']);
  });

  test('keeps that order among many sleepers, whichever of them are aborted', async () => {
    const clock = virtualClock({ startMs: 0 });
    const random = seededRandom(3);
    const sleeps = Array.from({ length: 300 }, (_, call) => ({
      call,
      ms: random.integer(40),
      isAborted: random.integer(3) === 0,
    }));
    const woken: number[] = [];
    for (const { call, ms, isAborted } of sleeps) {
      const controller = new AbortController();
      void clock.sleep(ms, controller.signal).then(
        () => woken.push(call),
        () => undefined,
      );
      if (isAborted) controller.abort();
    }
    await clock.advance(40);
    const kept = sleeps.filter(({ isAborted }) => !isAborted).sort((a, b) => a.ms - b.ms || a.call - b.call);
    expect(woken).toEqual(kept.map(({ call }) => call));
  });

  test('wakes nobody who sleeps for ever, and refuses a sleep of no length that is known', async () => {
    const clock = virtualClock();
    void clock.sleep(Number.POSITIVE_INFINITY);
    await expect(clock.run(new Promise(() => undefined))).rejects.toThrow('nothing sleeps');
    await expect(clock.sleep(Number.NaN)).rejects.toThrow(RangeError);
  });

  test('runs sleeps that follow from sleeps within one advance', async () => {
    const clock = virtualClock({ startMs: 0 });
    const work = async () => {
      for (let turn = 0; turn < 3; turn += 1) await clock.sleep(10);
      return clock.now();
    };
    const worked = work();
    await clock.advance(35);
    expect(await worked).toBe(30);
    expect(clock.now()).toBe(35);
  });

  test('moves until work settles, and rejects where nothing would settle it', async () => {
    const clock = virtualClock({ startMs: 0 });
    expect(await clock.run(clock.sleep(1_000).then(clock.now))).toBe(1_000);
    await expect(clock.run(Promise.reject(new Error('work')))).rejects.toThrow('work');
    await expect(clock.run(new Promise(() => undefined))).rejects.toThrow('nothing sleeps');
  });

  test('moves until a condition holds, and no longer than it may', async () => {
    const clock = virtualClock({ startMs: 0 });
    let isOver = false;
    void clock.sleep(500).then(() => {
      isOver = true;
    });
    await clock.runUntil(() => isOver, 1_000);
    expect(clock.now()).toBe(500);
    await expect(clock.runUntil(() => false, 1_000)).rejects.toThrow('not within 1000 ms');
    expect(clock.now()).toBe(1_500);
  });

  test('forgets a sleeper that is aborted, with the reason of its signal', async () => {
    const clock = virtualClock();
    const reason = new Error('enough');
    await expect(clock.sleep(1, AbortSignal.abort(reason))).rejects.toBe(reason);
    const controller = new AbortController();
    const sleeping = clock.sleep(1, controller.signal);
    controller.abort(reason);
    await expect(sleeping).rejects.toBe(reason);
    await expect(clock.run(new Promise(() => undefined))).rejects.toThrow('nothing sleeps');
  });
});

test('a stepping clock moves by each sleep, and wakes as late as it is told to', async () => {
  const clock = steppingClock(100, 7);
  await clock.sleep(10);
  clock.advance(3);
  expect(clock.now()).toBe(120);
  expect(clock.sleepsMs).toEqual([10]);
  await settled();
  expect(clock.now()).toBe(120);
});
