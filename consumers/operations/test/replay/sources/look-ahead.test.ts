import { deviceId } from '@twinstream/device-model';
import { sequenceNumber } from '@twinstream/stream-model';
import { describe, expect, test } from 'vitest';
import { redrivenKey } from '../../../src/replay/replay-entry.ts';
import { checkSource, devicesInSource } from '../../../src/replay/sources/look-ahead.ts';
import { memorySource } from '../../../src/replay/sources/replay-source.ts';
import { recordedEntries, WHOLE } from '../memory-replay.ts';

const { signal } = new AbortController();
const ENTRIES = recordedEntries(6, 30);
const [UNKNOWN, KNOWN] = [deviceId('bus-typo'), deviceId('bus-5')];

/** A source of these entries, and how many batches of it were read. */
function watched(entries = ENTRIES) {
  let batches = 0;
  const ahead = {
    spec: { parts: WHOLE },
    sourceOf: () => ({
      read: (
        query: Parameters<ReturnType<typeof memorySource>['read']>[0],
        take: Parameters<ReturnType<typeof memorySource>['read']>[1],
      ) =>
        memorySource(entries, 10).read(query, async (batch) => {
          batches += 1;
          await take(batch);
        }),
    }),
    signal,
  };
  return { ahead, batches: () => batches };
}

describe('a look at a source ahead of a replay', () => {
  test('tells the devices that it has events of from those that it has not', async () => {
    const { ahead } = watched();
    expect(await devicesInSource(ahead, [UNKNOWN, KNOWN], new Map())).toEqual(new Set([KNOWN]));
  });

  test('ends when all of them are found', async () => {
    const { ahead, batches } = watched();
    expect(await devicesInSource(ahead, [deviceId('bus-0')], new Map())).toEqual(new Set(['bus-0']));
    expect(batches()).toBe(1);
  });

  test('knows what was redriven in the place of an invalid entry', async () => {
    const [entry] = ENTRIES;
    if (entry === undefined) throw new TypeError('no entry');
    const invalid = { ...entry, sequenceNumber: sequenceNumber('5'), data: Buffer.from('{') };
    const text = Buffer.from(entry.data).toString().replace('bus-0', 'bus-typo');
    const redriven = new Map([[redrivenKey(invalid), [{ subSequenceNumber: 0, text }]]]);
    expect(await devicesInSource(watched([invalid]).ahead, [UNKNOWN], redriven)).toEqual(new Set([UNKNOWN]));
  });

  test('fails as the source does, and with its own signal', async () => {
    const { ahead } = watched();
    const broken = { ...ahead, sourceOf: () => ({ read: () => Promise.reject(new Error('gone')) }) };
    await expect(devicesInSource(broken, [KNOWN], new Map())).rejects.toThrow('gone');
    const aborted = { ...ahead, signal: AbortSignal.abort(new Error('stopped')) };
    await expect(devicesInSource(aborted, [UNKNOWN], new Map())).rejects.toThrow('stopped');
  });

  test('throws what a replay would throw over what cannot be used, and asks no source that uses all', async () => {
    const { ahead } = watched();
    await checkSource(ahead);
    const check = () => Promise.reject(new Error('foreign'));
    const foreign = { ...ahead, sourceOf: () => ({ ...ahead.sourceOf(), check }) };
    await expect(checkSource(foreign)).rejects.toThrow('foreign');
  });
});
