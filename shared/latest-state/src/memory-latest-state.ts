import { ITEM_BYTES_MAX, itemBytes } from '@twinstream/aws/dynamodb';
import type { DeviceId, DeviceState } from '@twinstream/device-model';
import type { RepairableLatestState } from './latest-state-table.ts';
import { decodeListCursor, encodeListCursor, requireListLimit } from './list-cursor.ts';
import { stateItem } from './state-item.ts';

/** A latest-state table in memory with the semantics of the DynamoDB one, every read being consistent. Holds the states themselves, not copies. */
export function memoryLatestStateTable(): RepairableLatestState {
  const states = new Map<DeviceId, DeviceState>();
  return {
    read: async (deviceId, { signal } = {}) => {
      signal?.throwIfAborted();
      return states.get(deviceId);
    },
    write: async (state, signal) => {
      signal?.throwIfAborted();
      const existing = states.get(state.deviceId);
      if (existing !== undefined && existing.page >= state.page) return { outcome: 'superseded' };
      states.set(state.deviceId, state);
      return { outcome: 'written' };
    },
    replace: async (state, observed, signal) => {
      signal?.throwIfAborted();
      const found = states.get(state.deviceId)?.page ?? 'none';
      if (observed !== 'damaged' && observed !== found) return 'changed';
      states.set(state.deviceId, state);
      return 'replaced';
    },
    audit: async (deviceId, signal) => {
      signal?.throwIfAborted();
      const state = states.get(deviceId);
      return state === undefined ? { kind: 'none' } : { kind: 'state', state, faults: [] };
    },
    sizeOf: (state) => ({ bytes: itemBytes(stateItem(state)), bytesMax: ITEM_BYTES_MAX }),
    partitionKeys: async function* (signal) {
      for (const deviceId of states.keys()) {
        signal?.throwIfAborted();
        yield deviceId;
      }
    },
    list: async ({ limit, cursor, signal }) => {
      signal?.throwIfAborted();
      requireListLimit(limit);
      const after = decodeListCursor(cursor);
      const devices: DeviceState[] = [];
      for (const deviceId of [...states.keys()].sort()) {
        const state = states.get(deviceId);
        if (state === undefined || (after !== undefined && deviceId <= after)) continue;
        devices.push(state);
        if (devices.length === limit) return { devices, cursor: encodeListCursor(deviceId) };
      }
      return { devices };
    },
  };
}
