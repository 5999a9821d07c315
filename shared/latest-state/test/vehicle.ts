import type { DeviceState } from '@twinstream/device-model';
import { type Item, textValue } from '@twinstream/event-store/dynamodb';
import { stateAfter } from '../contract/index.ts';
import { encodeState } from '../src/state-item.ts';

/** A bus with eight attributes that has connected and reported. */
export function vehicle(id: string, reports: number): Promise<DeviceState> {
  return stateAfter(id, [
    { type: 'connected', data: { site: 'north', type: 'bus', firmware: '2.4.1' } },
    ...Array.from({ length: reports }, (_, n) => ({
      data: {
        speedMph: (n * 37) % 61,
        routeId: '801',
        tripId: 1_723_912,
        latitude: 30.198_26 + n / 10_007,
        longitude: -97.776_79 - n / 10_009,
      },
    })),
  ]);
}

/** The whole item of a state, its key included. */
export function stateItem(state: DeviceState): Item {
  const item: Item = { deviceId: textValue(state.deviceId) };
  for (const [name, value] of Object.entries(encodeState(state))) if (value !== undefined) item[name] = value;
  return item;
}
