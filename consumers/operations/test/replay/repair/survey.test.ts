import { setImmediate } from 'node:timers/promises';
import type { DeviceId } from '@twinstream/device-model';
import { CodedError } from '@twinstream/runtime';
import { describe, expect, test } from 'vitest';
import { damagedChains } from '../../../src/replay/repair/survey.ts';
import { memoryStores } from '../memory-replay.ts';

const { signal } = new AbortController();

describe('a survey', () => {
  test('ends with the first failure, also while devices are still being listed', async () => {
    const stores = memoryStores();
    const throttled = new CodedError('DYNAMODB_THROTTLED', 'throttled', { retryable: true });
    const failing = {
      eventStore: {
        ...stores.eventStore,
        deviceIds: async function* () {
          yield 'bus-1' as DeviceId;
          // By now the look at bus-1 has failed, and nobody waits for it yet.
          await setImmediate();
          yield 'bus-2' as DeviceId;
        },
      },
      latestState: { ...stores.latestState, read: () => Promise.reject(throttled) },
    };
    await expect(damagedChains(failing, undefined, signal)).rejects.toBe(throttled);
  });
});
