import type { DeviceId } from '@twinstream/device-model';
import type { EventStore } from '@twinstream/event-store';

/** True where pages of a device are stored, whether or not it has a state. */
export async function hasPages(
  events: Pick<EventStore, 'lastKeyBelow'>,
  deviceId: DeviceId,
  signal: AbortSignal,
): Promise<boolean> {
  return (await events.lastKeyBelow(deviceId, Number.MAX_SAFE_INTEGER, signal)) !== undefined;
}
