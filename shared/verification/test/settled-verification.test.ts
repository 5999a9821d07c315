import { deviceId, newDevice } from '@twinstream/device-model';
import { type AuditedPage, memoryEventStore } from '@twinstream/event-store';
import { writeBatch } from '@twinstream/event-store/contract/chain-writer';
import type { AuditedState } from '@twinstream/latest-state';
import { arrivedEvent, DEVICE, SHARDS } from '@twinstream/test-kit';
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

/** Stores that show these one after the other, the last from then on. */
function shown(...looks: readonly { readonly pages: readonly AuditedPage[]; readonly live: AuditedState }[]) {
  let look = 0;
  const now = () => looks[Math.min(look, looks.length) - 1];
  return {
    get looks() {
      return look;
    },
    eventStore: {
      auditPages: async function* () {
        yield* now()?.pages ?? [];
      },
      auditSnapshots: async function* () {},
    },
    latestState: {
      audit: async () => {
        look += 1;
        return now()?.live ?? ({ kind: 'none' } as const);
      },
      sizeOf: () => ({ bytes: 0, bytesMax: 1 }),
    },
  };
}

describe('a device that changes between two looks, though it has as many differences as before,', () => {
  const none = { kind: 'none' } as const;
  const foreign = { kind: 'foreign', key: 'k' } as const;

  test('is looked at again where it has more pages', async () => {
    const key = { page: 1, arrivalMaxBefore: 0 };
    const damaged = { kind: 'damaged', key, code: 'DAMAGED_PAGE', fault: 'no JSON' } as const;
    const stores = shown({ pages: [foreign], live: none }, { pages: [damaged], live: none });
    const { differences } = await verifyDevices(stores, [ONE], { clock: clockOf() });
    expect(differences.map(({ kind }) => kind)).toEqual(['page-damaged']);
    expect(stores.looks).toBe(3);
  });

  test('is looked at again where its state item has moved', async () => {
    const live = { kind: 'state', state: { ...newDevice(ONE), page: 1 }, faults: [] } as const;
    const stores = shown({ pages: [foreign], live: none }, { pages: [], live });
    const { differences } = await verifyDevices(stores, [ONE], { clock: clockOf() });
    expect(differences.map(({ kind }) => kind)).toEqual(['page-missing']);
    expect(stores.looks).toBe(3);
  });

  test('has each of its events told once', async () => {
    const { pages } = await writeBatch(memoryEventStore(), newDevice(DEVICE), SHARDS[0], [
      arrivedEvent({ at: 1, session: 1, counter: 1 }),
    ]);
    const sound = pages.map((page) => ({ kind: 'page', page, faults: [] }) as const);
    const stores = shown({ pages: [foreign, ...sound], live: none });
    const told: string[] = [];
    await verifyDevices(stores, [DEVICE], {
      clock: clockOf(),
      onEvent: (id, { stored }) => told.push(`${id} ${stored.event.identity?.counter}`),
    });
    expect(told).toEqual([`${DEVICE} 1`]);
  });
});
