import { deviceId } from '@twinstream/device-model';
import { CodedError } from '@twinstream/runtime';
import { expect, test } from 'vitest';
import { BUS, projectorFixture, record, reported, unfinished } from './projector-fixture.ts';

test('one throttled device neither undoes nor delays the others', async () => {
  const tram = deviceId('tram-1');
  const { services, container, pages } = projectorFixture();
  const failing = container({
    eventStore: {
      ...services.eventStore,
      appendPage: async (page, signal) => {
        if (page.deviceId === BUS) throw new CodedError('THROTTLED', 'too much', { retryable: true });
        return await services.eventStore.appendPage(page, signal);
      },
    },
  });
  const batch = [record(1, reported(1, {}, tram)), record(2, reported(1)), record(3, reported(2, {}, tram))];
  expect(await failing(batch)).toEqual(unfinished(2));
  expect((await services.latestState.read(tram))?.counts.events).toBe(2);
  await container()(batch.slice(1));
  expect((await pages(tram)).flatMap(({ events }) => events)).toHaveLength(2);
  expect((await services.latestState.read(BUS))?.counts.events).toBe(1);
});
