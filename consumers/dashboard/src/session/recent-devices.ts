import type { DeviceJson } from '@twinstream/api-contract';

/** Devices remembered; beyond it the one that was heard of first is forgotten. */
const RECENT_MAX = 20_000;

function heardMs({ lastArrivalTime }: DeviceJson): number {
  return lastArrivalTime === null ? 0 : Date.parse(lastArrivalTime);
}

/** Whether a device as it was told is at least as new as it is known. Liveness changes without an event: equal counts as newer. */
export function isNewer(device: DeviceJson, known: DeviceJson): boolean {
  if (device.counts.events !== known.counts.events) return device.counts.events > known.counts.events;
  return heardMs(device) >= heardMs(known);
}

/** What the update stream told last: an answer to a list that was under way meanwhile may be older. */
export interface RecentDevices {
  hear(device: DeviceJson): void;
  /** The newer of a device of a list and what was heard of it. */
  newestOf(device: DeviceJson): DeviceJson;
}

export function recentDevices(): RecentDevices {
  const byId = new Map<string, DeviceJson>();
  return {
    hear: (device) => {
      byId.delete(device.deviceId);
      byId.set(device.deviceId, device);
      if (byId.size <= RECENT_MAX) return;
      const [oldest] = byId.keys();
      if (oldest !== undefined) byId.delete(oldest);
    },
    newestOf: (device) => {
      const heard = byId.get(device.deviceId);
      return heard === undefined || isNewer(device, heard) ? device : heard;
    },
  };
}
