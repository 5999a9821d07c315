import type { Basis } from '@twinstream/api-contract';
import type { DeviceId } from '@twinstream/device-model';
import { type AsOfTime, type DescribedState, type EventStore, stateAt } from '@twinstream/event-store';

/** State of a device at a time, or undefined when nothing was known of it. */
export async function pastState(
  store: EventStore,
  deviceId: DeviceId,
  timeMs: AsOfTime,
  basis: Basis,
  signal?: AbortSignal,
): Promise<DescribedState | undefined> {
  const options = { consistent: true, signal };
  const byArrival = stateAt(store, deviceId, timeMs, 'arrival', options);
  if (basis === 'arrival') {
    const { state } = await byArrival;
    return state.page === 0 ? undefined : state;
  }
  // When a device was last heard is a matter of arrivals, which are the same on either basis.
  const [{ state: heard }, { state }] = await Promise.all([
    byArrival,
    stateAt(store, deviceId, timeMs, 'event-time', options),
  ]);
  if (state.counts.events === 0) return undefined;
  return heard.lastArrivalTime === undefined ? state : { ...state, lastArrivalTime: heard.lastArrivalTime };
}
