import { foldPage, newDevice } from '@twinstream/device-model';
import { CodedError } from '@twinstream/runtime';
import { expect, test } from 'vitest';
import { BUS, projectorFixture, record, reported, uncounted } from './projector-fixture.ts';

test('the state item equals the fold of all pages after every batch', async () => {
  const { deliver, pages, services } = projectorFixture();
  const events = [
    reported(1, { a: 1 }),
    reported(3, { b: 1 }),
    uncounted({ c: 1 }),
    reported(2, { a: 0, d: 1 }),
    reported(4, { b: null }),
  ];
  for (const [index, event] of events.entries()) {
    await deliver([record(index + 1, event)]);
    const folded = (await pages()).reduce((state, page) => foldPage(state, page), newDevice(BUS));
    expect(await services.latestState.read(BUS)).toEqual(folded);
  }
});

test('a newer state that stands there already is success', async () => {
  const { services, container } = projectorFixture();
  const slow = container({
    latestState: {
      ...services.latestState,
      write: async (state, signal) => {
        await container()([record(2, reported(2))]);
        return await services.latestState.write(state, signal);
      },
    },
  });
  expect(await slow([record(1, reported(1))])).toEqual({ batchItemFailures: [] });
  expect((await services.latestState.read(BUS))?.page).toBe(2);
});

test('a state wiped beside a warm container comes back whole with the next event', async () => {
  const { deliver, services } = projectorFixture();
  await deliver([record(1, reported(1, { a: 1 }))]);
  const wiped = projectorFixture({ eventStore: services.eventStore });
  await wiped.deliver([record(2, reported(2, { b: 2 }))]);
  const state = await wiped.services.latestState.read(BUS);
  expect(state?.page).toBe(2);
  expect(state?.attributes.get('a')?.value).toBe(1);
});

test('a state item that cannot be read holds nobody up, and the next event writes it whole', async () => {
  const { deliver, container, services } = projectorFixture();
  await deliver([record(1, reported(1, { a: 1 }))]);
  const unreadable = container({
    latestState: {
      ...services.latestState,
      read: async () => {
        throw new CodedError('DAMAGED_STATE', 'not a state');
      },
    },
  });
  expect(await unreadable([record(2, reported(2, { b: 2 }))])).toEqual({ batchItemFailures: [] });
  const state = await services.latestState.read(BUS);
  expect(state?.page).toBe(2);
  expect(state?.attributes.get('a')?.value).toBe(1);
});
