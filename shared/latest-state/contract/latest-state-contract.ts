import { type DeviceId, type DeviceState, deviceId, type JsonObject } from '@twinstream/device-model';
import { arrivedEvent } from '@twinstream/test-kit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { DeviceListQuery, RepairableLatestState } from '../src/latest-state-table.ts';
import { reported, stateAfter } from './device-states.ts';

export interface OpenLatestStateTable {
  readonly table: RepairableLatestState;
  close?(): Promise<void>;
}

/** What every latest-state table must do. `open` is called once; each test uses devices and sites of its own. */
export function describeLatestStateTable(open: () => Promise<OpenLatestStateTable>): void {
  let opened: OpenLatestStateTable;
  let table: RepairableLatestState;
  let devices = 0;
  const newId = () => {
    devices += 1;
    return `device-${String(devices).padStart(4, '0')}`;
  };
  const writeAll = async (states: readonly DeviceState[]) => {
    for (const state of states) expect(await table.write(state)).toMatchObject({ outcome: 'written' });
  };
  /** Follows the cursors of a list to its end. */
  const listAll = async (query: Omit<DeviceListQuery, 'cursor'>) => {
    const ids: DeviceId[] = [];
    let cursor: string | undefined;
    do {
      const answer = await table.list({ ...query, ...(cursor === undefined ? {} : { cursor }) });
      expect(answer.devices.length).toBeLessThanOrEqual(query.limit);
      ids.push(...answer.devices.map((state) => state.deviceId));
      cursor = answer.cursor;
    } while (cursor !== undefined);
    return ids;
  };

  beforeAll(async () => {
    opened = await open();
    table = opened.table;
  });
  afterAll(() => opened?.close?.());

  describe('one device', () => {
    it('is unknown before it was written', async () => {
      expect(await table.read(deviceId('nobody'))).toBeUndefined();
    });

    it('is replaced by its repair only while it is as it was observed', async () => {
      const deviceId = newId();
      const one = await stateAfter(deviceId, [{ data: { speedMph: 1 } }]);
      const two = { ...one, page: one.page + 1 };
      expect(await table.replace(one, 2)).toBe('changed');
      expect(await table.replace(two, 'none')).toBe('replaced');
      expect(await table.replace(one, 'none')).toBe('changed');
      expect(await table.replace(one, one.page)).toBe('changed');
      expect(await table.replace(one, two.page)).toBe('replaced');
      expect(await table.read(one.deviceId)).toEqual(one);
      expect(await table.replace(two, 'damaged')).toBe('replaced');
      expect(await table.read(one.deviceId)).toEqual(two);
    });

    it('reads as it was written', async () => {
      const state = await stateAfter(newId(), [
        { data: { site: 'north', speedMph: 17.4, doors: [{ open: true }, null], note: '' } },
        { type: 'connected', data: { firmware: 7 } },
        { correctionId: 'c-1', data: { speedMph: 18 } },
        { counter: 9, data: { speedMph: null } },
      ]);
      await writeAll([state]);
      expect(await table.read(state.deviceId)).toEqual(state);
      expect(await table.read(state.deviceId, { consistent: false })).toEqual(state);
    });

    const NAMES: readonly JsonObject[] = [
      { '7': 1, '-1': 2, '0': 'first' },
      Object.fromEntries([
        ['__proto__', 1],
        ['___proto__', 2],
        ['constructor', 3],
        ['toString', 4],
      ]),
      { nested: Object.fromEntries([['__proto__', { deep: 1 }]]), list: [{}, [], ''] },
      { 'a.b': 1, 'c[0]': 2, '#name': 3, ':value': 4, status: 'x', SELECT: 5, 'имя €': 6, ' ': 7 },
      {},
      { large: 9.99e125, small: 1e-130, negative: -1.5e-7, exact: 123_456_789.123_456_79, huge: 1e21 },
    ];
    it.each(NAMES)('keeps any name and value: %j', async (data) => {
      const state = await reported(newId(), data);
      await writeAll([state]);
      expect(await table.read(state.deviceId)).toEqual(state);
    });

    it('remembers what was removed', async () => {
      const state = await stateAfter(newId(), [{ data: { load: 3, site: 'x' } }, { data: { load: null } }]);
      await writeAll([state]);
      const read = await table.read(state.deviceId);
      expect(read?.attributes.get('load')).toEqual({
        version: { session: 1, counter: 2, ordinal: 0, revision: 0 },
      });
    });

    it('holds nothing that a later state does not have', async () => {
      const id = newId();
      const first = await stateAfter(id, [
        { data: { site: 'here', a: 1 } },
        { correctionId: 'c', data: { a: 2 } },
      ]);
      const bare = await stateAfter(id, []);
      const later = { ...bare, page: first.page + 1, arrivalMax: first.arrivalMax };
      await writeAll([first, later]);
      expect(await table.read(deviceId(id))).toEqual(later);
    });

    it('never goes back to an equal or earlier page', async () => {
      const id = newId();
      const first = await stateAfter(id, [{ data: { n: 1 } }]);
      const second = await stateAfter(id, [{ data: { n: 2 } }], first);
      const another = await stateAfter(id, [{ data: { n: 3 } }], first);
      await writeAll([second]);
      expect(await table.write(first)).toMatchObject({ outcome: 'superseded' });
      expect(await table.write(second)).toMatchObject({ outcome: 'superseded' });
      expect(await table.write(another)).toMatchObject({ outcome: 'superseded' });
      expect(await table.read(deviceId(id))).toEqual(second);
    });

    it('ends at the latest of states that are written concurrently', async () => {
      const id = newId();
      const states: DeviceState[] = [];
      for (let n = 1; n <= 10; n += 1) states.push(await stateAfter(id, [{ data: { n } }], states.at(-1)));
      await Promise.all([...states].reverse().map((state) => table.write(state)));
      expect(await table.read(deviceId(id))).toEqual(states.at(-1));
    });

    it('rejects with the reason of an aborted signal', async () => {
      const reason = new Error('the deadline is near');
      const signal = AbortSignal.abort(reason);
      const state = await reported(newId(), {});
      await expect(table.write(state, signal)).rejects.toBe(reason);
      await expect(table.read(state.deviceId, { signal })).rejects.toBe(reason);
      await expect(table.list({ limit: 1, signal })).rejects.toBe(reason);
      expect(await table.read(state.deviceId)).toBeUndefined();
    });
  });

  describe('lists', () => {
    it('show every device once, however they are cut', async () => {
      const states = await Promise.all(
        Array.from({ length: 7 }, () => reported(newId(), { site: 'somewhere' })),
      );
      await writeAll(states);
      const ids = await listAll({ limit: 3 });
      expect(new Set(ids).size).toBe(ids.length);
      for (const state of states) expect(ids).toContain(state.deviceId);
    });

    it('take no cursor that no list returned', async () => {
      const invalid = expect.objectContaining({ code: 'INVALID_CURSOR', retryable: false });
      for (const text of ['', 'x', 'e30', Buffer.from('[""]').toString('base64url')]) {
        await expect(table.list({ limit: 2, cursor: text })).rejects.toEqual(invalid);
      }
    });

    it('keep a site of any length', async () => {
      const state = await reported(newId(), { site: 'é'.repeat(1_025) });
      await writeAll([state]);
      expect(await table.audit(state.deviceId)).toEqual({ kind: 'state', state, faults: [] });
    });

    it.each([0, 1_001, 2.5])('refuse the limit %d', async (limit) => {
      await expect(table.list({ limit })).rejects.toThrow(RangeError);
    });
  });

  it('is audited with nothing wrong, and with nothing there', async () => {
    const state = await stateAfter(newId(), [{ data: { site: 'audited' } }]);
    await writeAll([state]);
    expect(await table.audit(state.deviceId)).toEqual({ kind: 'state', state, faults: [] });
    expect(await table.audit(deviceId(newId()))).toEqual({ kind: 'none' });
    expect(await Array.fromAsync(table.partitionKeys())).toContain(state.deviceId);
    const { bytes, bytesMax } = table.sizeOf(state);
    expect([bytes > 200 && bytes < 1_000, bytesMax]).toEqual([true, 409_600]);
  });

  it('takes states of devices whose events were never counted', async () => {
    const id = newId();
    const event = arrivedEvent({ at: 1, deviceId: id });
    expect(event.event.identity).toBeUndefined();
    const state = await stateAfter(id, []);
    const uncounted = { ...state, page: 1, ordinal: 3 };
    await writeAll([uncounted]);
    expect(await table.read(deviceId(id))).toEqual(uncounted);
  });
}
