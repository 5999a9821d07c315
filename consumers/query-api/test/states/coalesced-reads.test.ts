import { getEventListeners } from 'node:events';
import { type DeviceId, deviceId, newDevice } from '@twinstream/device-model';
import { settled } from '@twinstream/test-kit';
import { describe, expect, test } from 'vitest';
import { type BatchFindings, coalescedReads } from '../../src/states/coalesced-reads.ts';

const id = (n: number) => deviceId(`d-${n}`);

function fixture(batchesMax = 2, batchMax = 3) {
  const batches: {
    readonly ids: readonly DeviceId[];
    answer(findings?: BatchFindings): void;
    fail(error: Error): void;
  }[] = [];
  const { read } = coalescedReads({
    batchMax,
    batchesMax,
    readBatch: (ids) =>
      new Promise((resolve, reject) => {
        batches.push({
          ids,
          answer: (findings = new Map(ids.map((one) => [one, newDevice(one)]))) => resolve(findings),
          fail: reject,
        });
      }),
  });
  return { batches, read };
}

describe('coalesced reads', () => {
  test('reads what is asked for in one turn together, and each device once', async () => {
    const { batches, read } = fixture();
    const reads = [read(id(1)), read(id(2)), read(id(1))];
    await settled();
    expect(batches.map(({ ids }) => ids)).toEqual([[id(1), id(2)]]);
    batches[0]?.answer();
    expect((await Promise.all(reads)).map((state) => state?.deviceId)).toEqual([id(1), id(2), id(1)]);
  });

  test('gathers the next batch while as many are on their way as may be', async () => {
    const { batches, read } = fixture(1);
    const first = read(id(1));
    await settled();
    const rest = [2, 3, 4, 5].map((n) => read(id(n)));
    await settled();
    expect(batches).toHaveLength(1);
    batches[0]?.answer();
    await first;
    await settled();
    expect(batches[1]?.ids).toEqual([id(2), id(3), id(4)]);
    batches[1]?.answer();
    await settled();
    expect(batches[2]?.ids).toEqual([id(5)]);
    batches[2]?.answer();
    await Promise.all(rest);
  });

  test('begins a new read of a device whose batch has begun, so that it sees what was written since', async () => {
    const { batches, read } = fixture();
    const before = read(id(1));
    await settled();
    const after = read(id(1));
    await settled();
    expect(batches.map(({ ids }) => ids)).toEqual([[id(1)], [id(1)]]);
    batches[0]?.answer(new Map());
    batches[1]?.answer();
    expect([await before, (await after)?.deviceId]).toEqual([undefined, id(1)]);
  });

  test('does not fail one device for the damage of another, and fails all when the request does', async () => {
    const { batches, read } = fixture();
    const [one, other] = [read(id(1)), read(id(2))];
    await settled();
    batches[0]?.answer(
      new Map<DeviceId, ReturnType<typeof newDevice> | Error>([
        [id(1), new Error('damaged')],
        [id(2), newDevice(id(2))],
      ]),
    );
    await expect(one).rejects.toThrow('damaged');
    expect((await other)?.deviceId).toBe(id(2));
    const failing = [read(id(1)), read(id(2))];
    await settled();
    batches[1]?.fail(new Error('away'));
    for (const read of await Promise.allSettled(failing))
      expect(read).toMatchObject({ reason: new Error('away') });
    const again = read(id(1));
    await settled();
    batches[2]?.answer();
    expect((await again)?.deviceId).toBe(id(1));
  });

  test('lets a caller go who no longer waits, and no other', async () => {
    const { batches, read } = fixture();
    const leaving = new AbortController();
    const [gone, stays] = [read(id(1), { signal: leaving.signal }), read(id(1))];
    await settled();
    leaving.abort(new Error('gone'));
    await expect(gone).rejects.toThrow('gone');
    batches[0]?.answer();
    expect((await stays)?.deviceId).toBe(id(1));
    await expect(read(id(1), { signal: leaving.signal })).rejects.toThrow('gone');
  });

  test('leaves no listener at a signal that lives on', async () => {
    const { signal } = new AbortController();
    const { read } = coalescedReads({
      batchMax: 2,
      readBatch: async (ids) => {
        if (ids.includes(deviceId('fails'))) throw new Error('away');
        return new Map();
      },
    });
    await read(deviceId('a'), { signal });
    await expect(read(deviceId('fails'), { signal })).rejects.toThrow('away');
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });
});
