import { type DeviceState, deviceId, type JsonObject, newDevice } from '@twinstream/device-model';
import { memoryEventStore } from '@twinstream/event-store';
import { writeBatch } from '@twinstream/event-store/contract/chain-writer';
import { arrivedEvent, type EventFields, SHARDS } from '@twinstream/test-kit';

/** The state of a device after some events of one shard, each its own page. */
export async function stateAfter(
  id: string,
  events: readonly Omit<EventFields, 'deviceId' | 'at'>[],
  start: DeviceState = newDevice(deviceId(id)),
): Promise<DeviceState> {
  const store = memoryEventStore();
  let state = start;
  for (const fields of events) {
    const at = state.page + 1;
    const event = arrivedEvent({ session: 1, counter: at, ...fields, deviceId: id, at });
    ({ state } = await writeBatch(store, state, SHARDS[0], [event]));
  }
  return state;
}

/** A device that reported these attributes, once. */
export function reported(id: string, data: JsonObject): Promise<DeviceState> {
  return stateAfter(id, [{ data }]);
}
