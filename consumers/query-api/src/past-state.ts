import type { DeviceId, DeviceState } from '@twinstream/device-model';
import { type AsOfTime, type EventStore, stateAt } from '@twinstream/event-store';

/** The two meanings of a state at a time. */
export const BASES = ['accepted', 'known'] as const;
/** `accepted`: what was known then. `known`: what was true then, as far as is known now. They differ where events come late. */
export type Basis = (typeof BASES)[number];

/** State of a device at a time, or undefined when nothing was known of it. */
export async function pastState(
  store: EventStore,
  deviceId: DeviceId,
  timeMs: AsOfTime,
  basis: Basis,
  signal?: AbortSignal,
): Promise<DeviceState | undefined> {
  const options = { consistent: true, signal };
  const accepted = stateAt(store, deviceId, timeMs, 'arrival', options);
  if (basis === 'accepted') {
    const { state } = await accepted;
    return state.page === 0 ? undefined : state;
  }
  // When a device was last heard is a matter of arrivals, which are the same on either basis.
  const [{ state: heard }, { state: known }] = await Promise.all([
    accepted,
    stateAt(store, deviceId, timeMs, 'event-time', options),
  ]);
  if (known.counts.events === 0) return undefined;
  return heard.lastArrivalTime === undefined ? known : { ...known, lastArrivalTime: heard.lastArrivalTime };
}
