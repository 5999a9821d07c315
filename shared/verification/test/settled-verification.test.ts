import { deviceId } from '@twinstream/device-model';
import { describe, expect, test } from 'vitest';
import { verifyDevices } from '../src/verify-devices.ts';

const [ONE, TWO] = [deviceId('one'), deviceId('two')];

/** Stores of devices whose pages cannot be read: as many foreign items at each look as are said here. */
function looksOf(...counts: readonly number[]) {
  let look = 0;
  return {
    get looks() {
      return look;
    },
    eventStore: {
      auditPages: async function* () {
        const count = counts[Math.min(look, counts.length - 1)] ?? 0;
        look += 1;
        for (let n = 0; n < count; n += 1) yield { kind: 'foreign', key: `k${n}` } as const;
      },
      auditSnapshots: async function* () {},
    },
    latestState: {
      audit: async () => ({ kind: 'none' }) as const,
      sizeOf: () => ({ bytes: 0, bytesMax: 1 }),
    },
  };
}

function clockOf(waits: number[] = []) {
  return {
    now: () => 0,
    sleep: async (ms: number) => {
      waits.push(ms);
    },
  };
}

describe('the verification of a device', () => {
  test.each([
    ['without a difference stands after one look', [0], 1, 0],
    ['with the same differences stands after two looks', [2], 2, 2],
    ['whose differences go is looked at until they are gone', [1, 0], 2, 0],
    ['whose differences change is looked at until they stay', [1, 2, 2], 3, 2],
    ['that changes at every look ends after four', [1, 2, 3, 4, 5], 4, 4],
  ])('%s', async (_, counts, looks, differences) => {
    const stores = looksOf(...counts);
    const waits: number[] = [];
    const result = await verifyDevices(stores, [ONE], { clock: clockOf(waits) });
    expect({ looks: stores.looks, differences: result.differences.length }).toEqual({ looks, differences });
    expect(waits).toEqual(Array.from({ length: looks - 1 }, () => 400));
    expect(result.devices).toBe(1);
  });

  test('tells each device and its verification once, and all differences', async () => {
    const told: string[] = [];
    const { devices, differences } = await verifyDevices(looksOf(1), [ONE, TWO], {
      clock: clockOf(),
      devicesAtOnce: 1,
      onDevice: (id, { differences: of }) => told.push(`${id} ${of.length}`),
    });
    expect(told).toEqual(['one 1', 'two 1']);
    expect(devices).toBe(2);
    expect(differences.map(({ deviceId: id }) => id)).toEqual(['one', 'two']);
  });

  test('ends when its signal is aborted', async () => {
    const ended = AbortSignal.abort(new Error('stop'));
    await expect(verifyDevices(looksOf(0), [ONE], { clock: clockOf(), signal: ended })).rejects.toThrow(
      'stop',
    );
  });
});
