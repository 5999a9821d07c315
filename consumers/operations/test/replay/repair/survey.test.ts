import { setImmediate } from 'node:timers/promises';
import {
  type DeviceId,
  type EventPage,
  newDevice,
  planPage,
  STATE_RECEIPT_LIMITS,
} from '@twinstream/device-model';
import { CodedError } from '@twinstream/runtime';
import { arrivedEvent, DEVICE, SHARDS, TEST_TIME_MS } from '@twinstream/test-kit';
import { describe, expect, test } from 'vitest';
import { missingRuns } from '../../../src/replay/repair/missing-run.ts';
import { damagedChains, restoreChain } from '../../../src/replay/repair/survey.ts';
import { memoryStores } from '../memory-replay.ts';

const { signal } = new AbortController();

describe('a survey', () => {
  test('ends with the first failure, also while devices are still being listed', async () => {
    const stores = memoryStores();
    const throttled = new CodedError('DYNAMODB_THROTTLED', 'throttled', { retryable: true });
    const failing = {
      eventStore: {
        ...stores.eventStore,
        partitionKeys: async function* () {
          yield 'bus-1' as DeviceId;
          // By now the look at bus-1 has failed, and nobody waits for it yet.
          await setImmediate();
          yield 'bus-2' as DeviceId;
        },
      },
      latestState: { ...stores.latestState, audit: () => Promise.reject(throttled) },
    };
    const onFailure = (_: DeviceId, error: unknown) => {
      throw error;
    };
    await expect(
      damagedChains(failing, undefined, { signal, onFailure, onMisdescribed: async () => undefined }),
    ).rejects.toBe(throttled);
  });
});

describe('a chain that is restored', () => {
  const event = arrivedEvent({
    at: 1,
    arrivalTime: TEST_TIME_MS,
    session: 1,
    counter: 1,
    data: { value: 1 },
  });
  const options = { limits: STATE_RECEIPT_LIMITS, signal };

  function firstPage(): EventPage {
    const plan = planPage(newDevice(DEVICE), SHARDS[0], [event]);
    if (plan.kind !== 'page') throw new Error(plan.kind);
    return plan.page;
  }

  const damage = { deviceId: DEVICE, pages: [], unreadable: [], runs: missingRuns([], 1) };
  const source = [{ shardId: SHARDS[0], arrived: event }];

  test('may meet its own page, put by a request whose answer was lost', async () => {
    const stores = memoryStores();
    await stores.eventStore.appendPage(firstPage());
    expect(await restoreChain(stores, damage, source, options)).toBe(1);
  });

  test('is left alone where somebody else put another page', async () => {
    const stores = memoryStores();
    await stores.eventStore.appendPage({ ...firstPage(), duplicates: 1 });
    await expect(restoreChain(stores, damage, source, options)).rejects.toMatchObject({
      code: 'CHAIN_CHANGED',
    });
  });
});
