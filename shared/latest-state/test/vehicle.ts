import type { DeviceState } from '@twinstream/device-model';
import { stateAfter } from '../contract/index.ts';

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
