import { STATE_RECEIPT_LIMITS } from '@twinstream/device-model';
import { DEVICE } from '@twinstream/test-kit';
import { describe, expect, test } from 'vitest';
import { restoreState } from '../../../src/replay/repair/restore-state.ts';
import type { Stores } from '../../../src/services.ts';
import { memoryStores } from '../memory-replay.ts';
import { plainChain } from './chains.ts';

const { pages: PAGES, states: STATES, state: STATE } = plainChain(4);
const WRONG = { ...STATE, attributes: new Map() };
const options = { limits: STATE_RECEIPT_LIMITS, signal: new AbortController().signal };

async function storesOf(kept: readonly number[] = [1, 2, 3, 4]): Promise<Stores> {
  const stores = memoryStores();
  for (const page of PAGES) if (kept.includes(page.page)) await stores.eventStore.appendPage(page);
  return stores;
}

/** Stores whose replacements of the state are noted, and answered so. */
function watched(stores: Stores, answers: readonly ('changed' | 'replaced')[] = []) {
  const observed: unknown[] = [];
  const latestState: Stores['latestState'] = {
    ...stores.latestState,
    replace: async (state, of, signal) => {
      observed.push(of);
      const answer = answers[observed.length - 1];
      return answer ?? stores.latestState.replace(state, of, signal);
    },
  };
  return { stores: { ...stores, latestState }, observed };
}

describe('a state that is restored', () => {
  test('is left alone where it is the fold of the pages', async () => {
    const stores = await storesOf();
    await stores.latestState.write(STATE);
    const { stores: seen, observed } = watched(stores);
    expect(await restoreState(seen, DEVICE, options)).toBe('equal');
    expect(observed).toEqual([]);
  });

  test.each([
    ['it is missing', undefined, 'none'],
    ['it says something else', WRONG, 4],
    ['it is behind the pages', STATES[1], 2],
  ])('is written where %s, in the place of what was read', async (_, stored, of) => {
    const stores = await storesOf();
    if (stored !== undefined) await stores.latestState.write(stored);
    const { stores: seen, observed } = watched(stores);
    expect(await restoreState(seen, DEVICE, options)).toBe('restored');
    expect(observed).toEqual([of]);
    const { attributes } = (await stores.latestState.read(DEVICE)) ?? {};
    expect(attributes).toEqual(STATE.attributes);
  });

  test('is written in the place of an item that cannot be read', async () => {
    const stores = await storesOf();
    const damaged: Stores = {
      ...stores,
      latestState: {
        ...stores.latestState,
        audit: async () => ({ kind: 'damaged', fault: 'cut off' }) as never,
      },
    };
    const { stores: seen, observed } = watched(damaged, ['replaced']);
    expect(await restoreState(seen, DEVICE, options)).toBe('restored');
    expect(observed).toEqual(['damaged']);
  });

  test('is looked at again where somebody wrote it meanwhile, and left to them after eight times', async () => {
    const stores = await storesOf();
    const twice = watched(stores, ['changed', 'changed']);
    expect(await restoreState(twice.stores, DEVICE, options)).toBe('restored');
    expect(twice.observed).toEqual(['none', 'none', 'none']);
    const always = watched(await storesOf(), new Array(20).fill('changed'));
    expect(await restoreState(always.stores, DEVICE, options)).toBe('equal');
    expect(always.observed).toHaveLength(8);
  });

  test('is not made of a chain that lacks a page', async () => {
    const stores = await storesOf([1, 2, 4]);
    const { stores: seen, observed } = watched(stores);
    await expect(restoreState(seen, DEVICE, options)).rejects.toMatchObject({
      code: 'CHAIN_BROKEN',
      message: expect.stringContaining('page 3'),
    });
    expect(observed).toEqual([]);
  });
});
