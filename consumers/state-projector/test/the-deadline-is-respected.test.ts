import { expect, test } from 'vitest';
import { BUS, projectorFixture, record, reported, unfinished } from './projector-fixture.ts';

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
  expect(await container()([record(4, reported(1))], undefined, () => 0)).toEqual(unfinished(4));
  expect(await pages()).toEqual([]);
  expect(await services.shardProgress.read('device-events')).toEqual([]);
});
