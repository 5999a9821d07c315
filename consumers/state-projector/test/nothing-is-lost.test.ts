import { memoryEventStore } from '@twinstream/event-store';
import { memoryLatestStateTable } from '@twinstream/latest-state';
import { CodedError } from '@twinstream/runtime';
import { expect, test } from 'vitest';
import { BUS, FINISHED, projectorFixture, record, reported, unfinished } from './projector-fixture.ts';

const throttled = async () => {
  throw new CodedError('THROTTLED', 'too much', { retryable: true });
};

test('a record is not acknowledged while its page cannot be put', async () => {
  const { services, container, pages } = projectorFixture();
  const failing = container({ eventStore: { ...services.eventStore, appendPage: throttled } });
  expect(await failing([record(5, reported(1)), record(6, reported(2))])).toEqual(unfinished(5));
  expect(await pages()).toEqual([]);
});

test('a record is not acknowledged while the state is behind its pages', async () => {
  const { services, container, pages } = projectorFixture();
  const failing = container({ latestState: { ...services.latestState, write: throttled } });
  expect(await failing([record(5, reported(1))])).toEqual(unfinished(5));
  expect(await pages()).toHaveLength(1);
  const healthy = container();
  expect(await healthy([record(5, reported(1))])).toEqual(FINISHED);
  expect(await pages()).toHaveLength(1);
  expect((await services.latestState.read(BUS))?.page).toBe(1);
});

test('a state that the table refuses for good leaves the pages and is healed by the next event', async () => {
  const { services, container, summaries, pages } = projectorFixture();
  const refuse = async () => {
    throw new CodedError('STATE_REJECTED', 'too large');
  };
  const failing = container({ latestState: { ...services.latestState, write: refuse } });
  expect(await failing([record(1, reported(1, { a: 1 }))])).toEqual(FINISHED);
  expect(summaries.at(-1)?.stateRejections).toBe(1);
  expect(await pages()).toHaveLength(1);
  await container()([record(2, reported(2, { b: 2 }))]);
  const state = await services.latestState.read(BUS);
  expect(state?.attributes.get('a')?.value).toBe(1);
  expect(state?.attributes.get('b')?.value).toBe(2);
});

test('shard progress stops before the earliest unfinished record', async () => {
  const { services, container } = projectorFixture();
  const other = { ...reported(1), deviceId: 'bus-2' as typeof BUS };
  const failing = container({
    eventStore: {
      ...services.eventStore,
      appendPage: async (page, signal) =>
        page.deviceId === BUS ? await throttled() : await services.eventStore.appendPage(page, signal),
    },
  });
  const answer = await failing([
    record(1, other),
    record(2, reported(1)),
    record(3, { ...other, identity: { session: 1, counter: 2 } }),
  ]);
  expect(answer).toEqual(unfinished(2));
  const [progress] = await services.shardProgress.read('device-events');
  expect(progress?.finishedThrough).toBe('1');
});

test('a redelivered record of a device that was deleted meanwhile is stored again, whatever the container remembers', async () => {
  let eventStore = memoryEventStore();
  let latestState = memoryLatestStateTable();
  const { deliver } = projectorFixture({
    eventStore: forwarding(() => eventStore),
    latestState: forwarding(() => latestState),
  });
  const records = [record(5, reported(1)), record(6, reported(2))];
  expect(await deliver(records)).toEqual(FINISHED);
  eventStore = memoryEventStore();
  latestState = memoryLatestStateTable();
  expect(await deliver(records)).toEqual(FINISHED);
  expect((await latestState.read(BUS))?.counts.events).toBe(2);
  expect(await Array.fromAsync(eventStore.pages(BUS))).toHaveLength(1);
});

/** Does whatever the one that `now` gives does, at each call. */
function forwarding<T extends object>(now: () => T): T {
  return new Proxy({} as T, { get: (_, name) => Reflect.get(now(), name) });
}
