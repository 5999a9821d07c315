import { setImmediate } from 'node:timers/promises';
import { type DeviceId, deviceId, encodeEvent } from '@twinstream/device-model';
import { CodedError } from '@twinstream/runtime';
import { encodeAggregate } from '@twinstream/stream-model';

import { expect, test } from 'vitest';
import { BUS, FINISHED, projectorFixture, record, reported, unfinished } from './projector-fixture.ts';

const TRAM = deviceId('tram-1');

test.each([
  ['in the order of the batch', [BUS, TRAM]],
  ['in the other order', [TRAM, BUS]],
])(
  'where several devices fail %s, the batch is delivered again from the first of their records',
  async (_, order) => {
    const { services, container } = projectorFixture();
    const ends = new Map<DeviceId, () => void>();
    const failInTurn = async () => {
      for (const device of order) {
        await setImmediate();
        ends.get(device)?.();
      }
    };
    const failing = container({
      eventStore: {
        ...services.eventStore,
        appendPage: (page) =>
          new Promise((_resolve, reject) => {
            ends.set(page.deviceId, () =>
              reject(new CodedError('THROTTLED', 'too much', { retryable: true })),
            );
            if (ends.size < 2) return;
            void failInTurn();
          }),
      },
    });
    expect(await failing([record(9, reported(1)), record(10, reported(1, {}, TRAM))])).toEqual(unfinished(9));
  },
);

test('what is refused of records that are delivered again is not in quarantine before it is known', async () => {
  const { services, container } = projectorFixture();
  const failing = container({
    eventStore: {
      ...services.eventStore,
      appendPage: async (page, signal) => {
        if (page.deviceId === TRAM) throw new CodedError('THROTTLED', 'too much', { retryable: true });
        return await services.eventStore.appendPage(page, signal);
      },
    },
  });
  const aggregate = (id: DeviceId) =>
    encodeAggregate([
      { partitionKey: id, data: encodeEvent(reported(1, {}, id)) },
      { partitionKey: id, data: Buffer.from('not JSON') },
    ]);
  const batch = [
    record(9, aggregate(BUS)),
    record(10, aggregate(TRAM)),
    record(11, aggregate(deviceId('car-1'))),
  ];
  const quarantined = async () => {
    const keys = await Array.fromAsync(services.quarantine.list());
    return keys.map(({ sequenceNumber }) => sequenceNumber).sort();
  };
  expect(await failing(batch)).toEqual(unfinished(10));
  expect(await quarantined()).toEqual(['9']);
  expect(await container()(batch.slice(1))).toEqual(FINISHED);
  expect(await quarantined()).toEqual(['10', '11', '9']);
});

test('one throttled device neither undoes nor delays the others', async () => {
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
  const batch = [record(1, reported(1, {}, TRAM)), record(2, reported(1)), record(3, reported(2, {}, TRAM))];
  expect(await failing(batch)).toEqual(unfinished(2));
  expect((await services.latestState.read(TRAM))?.counts.events).toBe(2);
  await container()(batch.slice(1));
  expect((await pages(TRAM)).flatMap(({ events }) => events)).toHaveLength(2);
  expect((await services.latestState.read(BUS))?.counts.events).toBe(1);
});
