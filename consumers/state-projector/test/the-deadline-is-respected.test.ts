import { expect, test } from 'vitest';
import { BUS, projectorFixture, record, reported, T0, unfinished } from './projector-fixture.ts';

test('before the deadline the requests are aborted and awaited, and the rest is reported as unfinished', async () => {
  const { services, container, summaries } = projectorFixture();
  let aborted = 0;
  const stuck = container({
    eventStore: {
      ...services.eventStore,
      appendPage: (_, signal) =>
        new Promise((_resolve, reject) => {
          signal?.addEventListener('abort', () => {
            aborted += 1;
            reject(signal.reason);
          });
        }),
    },
  });
  const answer = await stuck([record(4, reported(1)), record(5, reported(2))], undefined, () => 2_050);
  expect(answer).toEqual(unfinished(4));
  expect(aborted).toBe(1);
  expect(summaries.at(-1)?.unfinished).toBe(1);
  expect(await services.latestState.read(BUS)).toBeUndefined();
});

test('an invocation without time left starts nothing', async () => {
  const { services, container, pages } = projectorFixture();
  let putCount = 0;
  const put = async () => {
    putCount += 1;
  };
  const late = container({ quarantine: { ...services.quarantine, put } });
  const batch = [record(4, reported(1)), record(5, 'not JSON')];
  expect(await late(batch, undefined, () => 0)).toEqual(unfinished(4));
  expect(await pages()).toEqual([]);
  expect(putCount).toBe(0);
  expect(await services.shardProgress.read('device-events')).toEqual([]);
});

test('two seconds are left before the deadline, for aborted requests to end and the answer to be given', async () => {
  const { services, container } = projectorFixture();
  const waits: number[] = [];
  let end = () => {};
  const timeIsUp = new Promise<void>((resolve) => {
    end = resolve;
  });
  const clock = {
    now: () => T0,
    sleep: async (ms: number) => {
      waits.push(ms);
      await timeIsUp;
    },
  };
  let putStarted = () => {};
  const started = new Promise<void>((resolve) => {
    putStarted = resolve;
  });
  const stuck = container({
    clock,
    eventStore: {
      ...services.eventStore,
      appendPage: (_, signal) =>
        new Promise((_resolve, reject) => {
          signal?.addEventListener('abort', () => reject(signal.reason));
          putStarted();
        }),
    },
  });
  const answer = stuck([record(4, reported(1))], undefined, () => 60_000);
  await started;
  expect(waits).toEqual([58_000]);
  end();
  expect(await answer).toEqual(unfinished(4));
});
