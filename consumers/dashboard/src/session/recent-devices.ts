import type { Device } from '../api/shapes.ts';

/** Devices remembered; beyond it the one that was heard of first is forgotten. */
const RECENT_MAX = 20_000;

/** Whether a device as it was told is at least as new as it is known. Liveness changes without an event: equal counts as newer. */
export function isNewer(device: Device, known: Device): boolean {
  if (device.counts.events !== known.counts.events) return device.counts.events > known.counts.events;
  return (device.lastArrivalTime ?? 0) >= (known.lastArrivalTime ?? 0);
}

/** What the update stream told last: an answer to a list that was under way meanwhile may be older. */
export interface RecentDevices {
  hear(device: Device): void;
  /** The newer of a device of a list and what was heard of it. */
  newestOf(device: Device): Device;
}

export function recentDevices(): RecentDevices {
  const byId = new Map<string, Device>();
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
