import { settled, virtualClock } from '@twinstream/test-kit';
import { expect, test } from 'vitest';
import { createAlarm } from '../src/alarm.ts';
import { unhandledRejections } from './unhandled-rejections.ts';

function alarmAt(startMs = 1_000) {
  const clock = virtualClock({ startMs });
  const ringsAtMs: number[] = [];
  const alarm = createAlarm(clock, () => ringsAtMs.push(clock.now()));
  const nothingSleeps = () =>
    expect(clock.run(new Promise(() => undefined))).rejects.toThrow('nothing sleeps');
  return { clock, alarm, ringsAtMs, nothingSleeps };
}

test('an alarm rings once, at its time', async () => {
  const { clock, alarm, ringsAtMs, nothingSleeps } = alarmAt();
  alarm.setFor(1_050);
  await clock.advance(49);
  expect(ringsAtMs).toEqual([]);
  await clock.advance(1_000);
  expect(ringsAtMs).toEqual([1_050]);
  await nothingSleeps();
});

test.each([
  [1_100, 1_050],
  [1_050, 1_100],
  [1_050, 1_050],
])('of an alarm for %i and one for %i the earlier rings alone', async (first, second) => {
  const { clock, alarm, ringsAtMs, nothingSleeps } = alarmAt();
  alarm.setFor(first);
  alarm.setFor(second);
  await clock.advance(60);
  expect(ringsAtMs).toEqual([1_050]);
  await nothingSleeps();
});

test('an alarm for a time that is past rings immediately, and can be set again then', async () => {
  const { clock, alarm, ringsAtMs } = alarmAt();
  alarm.setFor(900);
  await clock.advance(0);
  expect(ringsAtMs).toEqual([1_000]);
  alarm.setFor(1_010);
  await clock.advance(100);
  expect(ringsAtMs).toEqual([1_000, 1_010]);
});

test('an alarm that is cleared does not ring, and can be set for a later time', async () => {
  const { clock, alarm, ringsAtMs, nothingSleeps } = alarmAt();
  alarm.setFor(1_050);
  alarm.clear();
  await nothingSleeps();
  alarm.setFor(1_080);
  await clock.advance(1_000);
  expect(ringsAtMs).toEqual([1_080]);
});

test('a sleep that ends although it was taken back rings nothing', async () => {
  const wakes: (() => void)[] = [];
  const rings: string[] = [];
  const clock = {
    now: () => 0,
    sleep: () =>
      new Promise<void>((resolve) => {
        wakes.push(resolve);
      }),
  };
  const alarm = createAlarm(clock, () => rings.push('rung'));
  alarm.setFor(50);
  alarm.setFor(20);
  wakes[0]?.();
  await settled();
  expect(rings).toEqual([]);
  wakes[1]?.();
  await settled();
  expect(rings).toEqual(['rung']);
});

test('an alarm that an earlier one replaces sleeps no more', async () => {
  const { clock, alarm, nothingSleeps } = alarmAt();
  alarm.setFor(9_000);
  alarm.setFor(1_050);
  await clock.advance(50);
  await nothingSleeps();
  expect(clock.now()).toBe(1_050);
});

test('an alarm that is taken back rejects nothing, and a clock that fails is not kept quiet', async () => {
  const { clock, alarm } = alarmAt();
  const failure = new Error('no clock');
  const unhandled = await unhandledRejections(async () => {
    alarm.setFor(1_050);
    alarm.clear();
    await clock.advance(100);
    createAlarm({ now: () => 0, sleep: () => Promise.reject(failure) }, () => undefined).setFor(1);
    await settled();
  });
  expect(unhandled).toEqual([failure]);
});
