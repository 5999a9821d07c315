import { mkdtempSync, readdirSync, rmSync, statSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { spillingLists } from '../../../src/replay/repair/spilling-lists.ts';
import { runReplay } from '../../../src/replay/run-replay.ts';
import { jobOf } from '../memory-replay.ts';
import { contentOf, damaged, entries, operatorOf, projected } from './damaged-stores.ts';

const { signal } = new AbortController();

let scratch: string;
beforeEach(() => {
  scratch = mkdtempSync(join(tmpdir(), 'larger-than-memory-'));
  vi.stubEnv('TMPDIR', scratch);
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(scratch, { recursive: true });
});

/** A repair of pages that are missing alone, of neighbours, and of the last of a device. */
async function repaired(heldCharactersMax: number | undefined) {
  const whole = await projected(entries);
  const isMissing: Record<string, readonly number[]> = { 'bus-0': [2], 'bus-1': [2, 3], 'bus-2': [3] };
  const stores = await damaged(
    whole,
    ({ deviceId, page }) => isMissing[deviceId]?.includes(page) !== true,
    () => 'kept',
  );
  const services = await operatorOf(stores, heldCharactersMax === undefined ? {} : { heldCharactersMax });
  const sourceOf = services.sourceOf;
  const foldersWhileReading = new Set<string>();
  const job = jobOf({ target: 'repair' });
  const watching: typeof sourceOf = (...of) => {
    const source = sourceOf(...of);
    return {
      ...source,
      read: (query, take) =>
        source.read(query, async (batch) => {
          await take(batch);
          for (const name of readdirSync(scratch)) foldersWhileReading.add(name);
        }),
    };
  };
  await runReplay({ ...services, sourceOf: watching }, job, signal);
  return { job, content: await contentOf(stores), wanted: await contentOf(whole), foldersWhileReading };
}

describe('a repair of more than memory may hold', () => {
  test.each([0, 1, 700, 5_000])('that is %i characters comes to what it comes to in memory', async (held) => {
    const inMemory = await repaired(undefined);
    expect(inMemory.foldersWhileReading).toEqual(new Set());
    const spilled = await repaired(held);
    expect(spilled.content).toBe(inMemory.content);
    expect(spilled.content).toBe(spilled.wanted);
    expect(spilled.job.repair).toEqual(inMemory.job.repair);
    expect(spilled.job.ledger).toEqual(inMemory.job.ledger);
    expect(spilled.job.failures).toEqual([]);
    expect(spilled.foldersWhileReading.size).toBeGreaterThan(0);
  });

  test('leaves nothing on disk, also where it fails', async () => {
    await repaired(0);
    expect(readdirSync(scratch)).toEqual([]);
    const whole = await projected(entries);
    const stores = await damaged(
      whole,
      ({ page }) => page !== 2,
      () => 'kept',
    );
    const services = await operatorOf(stores, { heldCharactersMax: 0 });
    const failing = { read: () => Promise.reject(new Error('the archive is away')) };
    const sourceOf: typeof services.sourceOf = (...of) => ({ ...services.sourceOf(...of), ...failing });
    const run = runReplay({ ...services, sourceOf }, jobOf({ target: 'repair' }), signal);
    await expect(run).rejects.toThrow('the archive is away');
    expect(readdirSync(scratch)).toEqual([]);
  });
});

describe('lists that spill', () => {
  test('keep the order of each key, what was spilled before what is held', () => {
    const lists = spillingLists<
      string,
      { readonly at: number; readonly of: Map<string, bigint | undefined> }
    >(25);
    const added = new Map<string, unknown[]>();
    for (let at = 0; at < 50; at += 1) {
      const key = `bus-${at % 3}`;
      const value = { at, of: new Map([['é\u{1f68c}', at % 2 === 0 ? BigInt(at) : undefined]]) };
      lists.add(key, value, 10);
      added.set(key, [...(added.get(key) ?? []), value]);
    }
    for (const [key, values] of added) expect(lists.of(key)).toEqual(values);
    expect(lists.of('bus-3')).toEqual([]);
    lists.close();
    expect(lists.of('bus-0')).toEqual([]);
  });

  test('need no disk for what fits', () => {
    const lists = spillingLists<string, number>(30);
    for (const value of [1, 2, 3]) lists.add('bus-1', value, 10);
    expect(lists.of('bus-1')).toEqual([1, 2, 3]);
    expect(readdirSync(scratch)).toEqual([]);
  });

  test('go to disk above what is held, and are gone from there when they are closed', () => {
    const lists = spillingLists<string, number>(30);
    for (const value of [1, 2, 3, 4]) lists.add('bus-1', value, 10);
    expect(readdirSync(scratch)).toHaveLength(1);
    lists.add('bus-1', 5, 10);
    expect(lists.of('bus-1')).toEqual([1, 2, 3, 4, 5]);
    lists.close();
    expect(readdirSync(scratch)).toEqual([]);
    lists.close();
  });

  test('say how many bytes are missing of what was spilled', () => {
    const lists = spillingLists<string, string>(0);
    lists.add('bus-1', 'x'.repeat(100), 100);
    const [folder = ''] = readdirSync(scratch);
    const file = join(scratch, folder, 'spilled');
    const { size } = statSync(file);
    truncateSync(file, 50);
    expect(() => lists.of('bus-1')).toThrow(`${size - 50} spilled bytes are missing`);
    lists.close();
  });
});
